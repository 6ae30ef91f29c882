/** `signIn`, on the storages and with the cookies that it has to know. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "npm:zod@4.6.7";
import { createCookie } from "../../core/cookie.ts";
import { withSession } from "../../middleware/with_session.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { signIn } from "../../testing/sign_in.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";

interface Data {
  userId: string;
  roles: string[];
}

const secrets = ["s3cr3t"];
const schema = z.object({
  userId: z.string(),
  roles: z.array(z.string()).default([]),
});
const rows = new Map<string, unknown>();

const storages: Record<string, SessionStorage<Data>> = {
  memory: createMemorySessionStorage<Data>(),
  signed: createMemorySessionStorage<Data>({ cookie: { secrets } }),
  "__Host-": createMemorySessionStorage<Data>({
    cookie: { name: "__Host-Http-s", secrets },
  }),
  cookie: createCookieSessionStorage<Data>({ cookie: { secrets } }),
  "React Router's cookie": createCookieSessionStorage<Data>({
    cookie: { secrets, format: "react-router" },
  }),
  owner: createMemorySessionStorage<Data>({
    owner: ({ userId }) => userId,
    maxPerOwner: 1,
  }),
  schema: createMemorySessionStorage({ schema }),
  eventual: createSessionStorage<Data>({
    engine: new FakeEngine({ reads: "eventual" }),
  }),
  "four functions": createSessionStorage<Data>({
    createData: async (data) => {
      const id = crypto.randomUUID();
      rows.set(id, data);
      return id;
    },
    readData: async (id) => (rows.get(id) ?? null) as Data | null,
    updateData: async (id, data) => void rows.set(id, data),
    deleteData: async (id) => void rows.delete(id),
  }),
};

for (const [name, storage] of Object.entries(storages)) {
  Deno.test(`${name}: signIn() returns the cookie of a visitor who is signed in`, async () => {
    const cookie = await signIn(storage, { userId: "ann", roles: ["admin"] });
    const handler = withSession(storage, (_request, session) => {
      assert(session.authenticatedAt !== undefined);
      return Response.json(session.data);
    });
    const answer = await handler(
      new Request("http://localhost/", { headers: { cookie } }),
    );
    const data = { userId: "ann", roles: ["admin"] };
    assertEquals(await answer.json(), data);
    if (name !== "owner") return;
    assertEquals((await storage.listSessions("ann")).length, 1);
  });
}

Deno.test("signIn() takes the cookie that a middleware brings", async () => {
  const cookie = createCookie("other", { secrets });
  for (
    const storage of [
      createCookieSessionStorage<Data>(),
      createMemorySessionStorage<Data>(),
    ]
  ) {
    const handler = withSession(
      cookie,
      storage,
      (_request, session) => new Response(session.get("userId")),
    );
    const header = await signIn(cookie, storage, { userId: "ann" });
    const answer = await handler(
      new Request("http://localhost/", { headers: { cookie: header } }),
    );
    assertEquals(await answer.text(), "ann", rowName(storage.guarantees));
  }
});

Deno.test("signIn() says what is wrong", async () => {
  const storage = createMemorySessionStorage<Data>();
  for (const data of [{}, undefined, null, "ann"]) {
    await assertRejects(
      () => signIn(storage, data as never),
      TypeError,
      'write signIn(storage, { userId: "ann" })',
      rowName(data),
    );
  }
  await assertRejects(
    () => signIn({} as never, { userId: "ann" }),
    TypeError,
    "it is not a session storage",
  );
  await assertRejects(
    () => signIn(createCookieSessionStorage<Data>(), { userId: "ann" }),
    TypeError,
    "a cookie storage requires secrets",
  );
  await assertRejects(
    () => signIn(storages["schema"]!, { userId: 7 as never }),
    TypeError,
    "pass data that fits its schema",
  );
});
