// What a request costs is counted in what it parses and encodes, not in time.
import { assert, assertEquals } from "@std/assert";
import {
  createCookieSessionStorage,
  createMemorySessionStorage,
  createSessionStorage,
  type Session,
  type SessionStorage,
  withSession,
} from "../../mod.ts";
import { memoryEngine } from "../engines/_memory.ts";
import { rowName } from "../_row.ts";

/** The size of a payload, in characters. Cookies are smaller. */
const LARGE = 26_000;

/** Values: one object that is nearly the whole payload, and what is around it. */
function dataOf(size: number): Record<string, unknown> {
  const items = Array.from({ length: size / 50 }, (_, i) => ({
    id: `item-${i}`,
    note: "some words that fill the cart",
  }));
  return { theme: "dark", cart: { items }, visits: 1 };
}

/** Counts how often the payload was parsed and encoded while `work` ran. */
async function count(
  size: number,
  work: () => Promise<unknown>,
): Promise<{ parsed: number; encoded: number }> {
  const { parse, stringify } = JSON;
  let parsed = 0;
  let encoded = 0;
  JSON.parse = (text, reviver) => {
    parsed += text.length;
    return parse(text, reviver);
  };
  JSON.stringify = (value: unknown, ...rest: never[]) => {
    const text = stringify(value, ...rest);
    encoded += text?.length ?? 0;
    return text;
  };
  try {
    await work();
  } finally {
    Object.assign(JSON, { parse, stringify });
  }
  return { parsed: parsed / size, encoded: encoded / size };
}

const cookie = { name: "s", secrets: ["s3cr3t"] };
const STORAGES: Record<string, [number, () => SessionStorage]> = {
  "a signed cookie": [
    1500,
    () => createCookieSessionStorage({ cookie: { ...cookie, encrypt: false } }),
  ],
  "a sealed cookie": [1500, () => createCookieSessionStorage({ cookie })],
  memory: [LARGE, () => createMemorySessionStorage({ cookie })],
  "an engine": [
    LARGE,
    () =>
      createSessionStorage({
        cookie,
        engine: memoryEngine(1000, Date.now, () => {}),
      }),
  ],
};

type Items = { items: { id: string; note: string }[] };
type Look = (session: Session) => void;

/** What a handler does, and how often the payload may be encoded for it. */
const HANDLERS: [what: string, encoded: number, look: Look][] = [
  ["reads nothing", 0, () => {}],
  ["reads a string", 0, (session) => session.get("theme")],
  ["reads an object", 1, (session) => session.get("cart")],
  ["reads an object and a string, many times", 1, (session) => {
    for (let i = 0; i < 20; i++) {
      session.get("cart");
      session.get("theme");
      session.has("cart");
    }
  }],
  ["reads everything", 1, (session) => session.data],
  ["sets another key", 0, (session) => session.set("visits", 2)],
  ["reads an object and sets another key", 1, (session) => {
    session.get("cart");
    session.set("visits", 2);
  }],
];

for (const [name, [size, create]] of Object.entries(STORAGES)) {
  Deno.test(`withSession() parses a payload once, and encodes it at most once, with ${name}`, async () => {
    for (const [what, most, look] of HANDLERS) {
      const storage = create();
      const session = await storage.getSession();
      const data = dataOf(size);
      for (const [key, value] of Object.entries(data)) session.set(key, value);
      const [header = ""] = (await storage.commitSession(session)).split(";");
      const request = new Request("http://localhost/", {
        headers: { Cookie: header },
      });
      const handler = withSession(storage, (_request, session) => {
        look(session);
        return new Response();
      });
      const payload = JSON.stringify(data).length;
      const { parsed, encoded } = await count(payload, () => handler(request));
      // The record has a few instants around the payload.
      assert(parsed <= 1.2, rowName(what, `parsed ${parsed.toFixed(2)} times`));
      assert(
        encoded <= most + 0.1,
        rowName(what, `encoded ${encoded.toFixed(2)} times`),
      );
    }
  });

  Deno.test(`withSession() saves what was changed in place, with ${name}`, async () => {
    const storage = create();
    const session = await storage.getSession();
    for (const [key, value] of Object.entries(dataOf(size))) {
      session.set(key, value);
    }
    const [header = ""] = (await storage.commitSession(session)).split(";");
    const handler = withSession(storage, (_request, session) => {
      (session.get("cart") as Items).items[0]!.note = "changed";
      return new Response();
    });
    const request = new Request("http://localhost/", {
      headers: { Cookie: header },
    });
    const response = await handler(request);
    const next = await storage.getSession(
      response.headers.get("Set-Cookie")?.split(";")[0] ?? header,
    );
    const { items } = next.get("cart") as Items;
    assertEquals(items[0]?.note, "changed");
    assertEquals(items.length, size / 50);
  });
}
