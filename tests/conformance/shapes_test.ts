/** A storage of another author may have `read` and `save` alone, or the three functions of React Router alone. */
import { createCookie } from "../../mod.ts";
import { assertEquals } from "@std/assert";
import {
  checkStorage,
  type StorageLike,
  type Target,
} from "../../conformance/mod.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";

const shapes = {
  "read and save": ["read", "save"],
  "getSession, commitSession and destroySession": [
    "getSession",
    "commitSession",
    "destroySession",
  ],
} as const;

/** The cookie that the storage signs. */
const cookie = createCookie("session", { secrets: ["s3cr3t"] });

for (const [name, methods] of Object.entries(shapes)) {
  Deno.test(`checkStorage() checks a storage that has ${name} alone`, async () => {
    const target: Target = {
      name,
      capabilities: ["revoke", "expiry", "touch", "absolute", "merge"],
      clock: { kind: "virtual", advance() {} },
      open({ namespace: _, ...options }) {
        const storage: StorageLike = createMemorySessionStorage({
          ...options,
          cookie: { name: "session", secrets: ["s3cr3t"] },
        });
        return {
          storage: Object.fromEntries(
            methods.map((method) => [method, storage[method]?.bind(storage)]),
          ),
          cookieFor: async (id) =>
            (await cookie.serialize(id)).split(";", 1)[0] ?? "",
        };
      },
    };
    const { verdict, results } = await checkStorage(target, { seed: 1 });
    assertEquals(
      results.flatMap(({ rule, outcome, reason }) =>
        outcome === "pass" || outcome === "not-applicable"
          ? []
          : [`${rule} ${outcome}: ${reason}`]
      ),
      [],
      name,
    );
    assertEquals(verdict, "conformant", name);
  });
}
