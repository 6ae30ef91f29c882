/**
 * `schema` types what a session carries, in every factory. The types are the test: `deno check` fails where an expected
 * error does not come.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type } from "npm:arktype@2.2.10";
import * as v from "npm:valibot@1.5.0";
import { z } from "npm:zod@4.6.7";
import {
  createCookieSessionStorage,
  createMemorySessionStorage,
  createReadThroughSessionStorage,
  createSessionStorage,
  type SessionStorage,
  withSession,
} from "../mod.ts";
import { signIn } from "../testing/mod.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles only where the values of the storage's sessions have this type under `userId`. */
function expectUserId<UserId>(): <Data extends { userId?: unknown }, Flash>(
  _storage: SessionStorage<Data, Flash>,
  same: Same<Data["userId"], UserId>,
) => void {
  return () => {};
}

const rows = new Map<string, object>();
const cookie = { secrets: ["s3cr3t"] };
const zod = z.object({ userId: z.string(), visits: z.coerce.number() });

Deno.test("schema types the sessions of a storage", async () => {
  expectUserId<string>()(createMemorySessionStorage({ schema: zod }), true);
  expectUserId<string>()(
    createCookieSessionStorage({ cookie, schema: zod }),
    true,
  );
  expectUserId<number | undefined>()(
    createMemorySessionStorage({
      schema: v.object({ userId: v.optional(v.number()) }),
    }),
    true,
  );
  expectUserId<"ann" | "bob">()(
    createMemorySessionStorage({ schema: type({ userId: "'ann' | 'bob'" }) }),
    true,
  );
  const four = createSessionStorage({
    schema: zod,
    createData: async (data) => {
      rows.set("1", data);
      return "1";
    },
    readData: async () => null,
    updateData: async () => {},
    deleteData: async () => {},
  });
  expectUserId<string>()(four, true);
  expectUserId<string>()(
    createReadThroughSessionStorage({
      to: createMemorySessionStorage({ schema: zod, cookie }),
      from: createCookieSessionStorage({ cookie }),
    }),
    true,
  );
  // Without a schema, the values have any type, as before.
  expectUserId<string>()(
    createMemorySessionStorage<{ userId: string }>({ cookie }),
    true,
  );
  const untyped = (await createMemorySessionStorage().getSession()).data;
  const any: string = untyped["whatever"] ?? "any";
  assertEquals(any, "any");
});

Deno.test("schema types the option owner, and handlers", async () => {
  const storage = createMemorySessionStorage({
    schema: zod,
    owner: ({ userId }) => {
      const id: string | undefined = userId;
      return id;
    },
    migrate: (old) => ({ ...old, userId: String(old["user"].id) }),
  });
  withSession(storage, (_request, session) => {
    const visits: number | undefined = session.get("visits");
    // @ts-expect-error a value of another type does not compile
    session.set("visits", "3");
    // @ts-expect-error a misspelt key does not compile
    session.get("usrId");
    return Response.json(visits);
  });
  // @ts-expect-error a value of another type does not compile
  const wrong = () => signIn(storage, { userId: 7 });
  assertEquals(typeof wrong, "function");
  assertEquals(
    (await signIn(storage, { userId: "ann", visits: 1 })) !== "",
    true,
  );
});

Deno.test("schema must return what the types say", () => {
  createMemorySessionStorage<{ userId: string; visits: number }>({
    schema: zod,
  });
  createMemorySessionStorage<{ userId: number }>({
    // @ts-expect-error it returns a string
    schema: zod,
  });
});
