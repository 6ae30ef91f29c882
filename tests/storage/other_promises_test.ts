// Promises that are not instances of the global `Promise`: zone.js and Bluebird replace it, and async functions go on to
// return the runtime's own.
import { assertEquals } from "@std/assert";
import { cookieHeader } from "../core/_support.ts";
import { type Cookie, createCookie } from "../../core/cookie.ts";
import { withSession } from "../../middleware/with_session.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { FakeEngine } from "./_fake_engine.ts";

const cookie = { name: "s", secrets: ["s3cr3t"] };
const STORAGES: Record<string, () => SessionStorage> = {
  "a signed cookie": () =>
    createCookieSessionStorage({ cookie: { ...cookie, encrypt: false } }),
  "a sealed cookie": () => createCookieSessionStorage({ cookie }),
  memory: () => createMemorySessionStorage({ cookie }),
  "an engine": () => createSessionStorage({ cookie, engine: new FakeEngine() }),
  "another library's cookie": () =>
    createCookieSessionStorage({ cookie: thenableCookie() }),
};

/** A cookie whose functions answer with objects that only have `then`. */
function thenableCookie(): Cookie {
  const inner = createCookie("s", { secrets: ["s3cr3t"] });
  const thenable = <T>(promise: Promise<T>) =>
    ({ then: promise.then.bind(promise) }) as Promise<T>;
  return {
    name: "s",
    isSigned: true,
    parse: (header) => thenable(inner.parse(header)),
    serialize: (value) => thenable(inner.serialize(value)),
  };
}

/** Counts the visits of two requests. */
async function visitTwice(storage: SessionStorage): Promise<unknown[]> {
  const handler = withSession(storage, (_request, session) => {
    const visits = Number(session.get("visits") ?? 0) + 1;
    session.set("visits", visits);
    return new Response(String(visits));
  });
  const first = await handler(new Request("http://localhost/"));
  const Cookie = cookieHeader(first.headers.get("Set-Cookie") ?? "");
  const again = new Request("http://localhost/", { headers: { Cookie } });
  const second = await handler(again);
  return [await first.text(), await second.text()];
}

for (const [name, create] of Object.entries(STORAGES)) {
  Deno.test(`withSession() saves a session where the global Promise was replaced, with ${name}`, async () => {
    const own = globalThis.Promise;
    globalThis.Promise = class extends own<unknown> {} as PromiseConstructor;
    try {
      assertEquals(await visitTwice(create()), ["1", "2"]);
    } finally {
      globalThis.Promise = own;
    }
  });
}
