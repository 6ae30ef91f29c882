/** What a report says of an error: the author's own cause, and which member is wrong. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createSessionStorage, type Engine } from "../../mod.ts";
import { checkStorage, type StorageLike } from "../../conformance/mod.ts";
import { memoryEngine } from "../engines/_memory.ts";
import { PATIENT } from "./targets.ts";

/** The result of one rule for a storage. */
async function reasonFor(open: () => StorageLike): Promise<string> {
  const { results: [result] } = await checkStorage({
    name: "bad",
    capabilities: [],
    open: () => ({ storage: open() }),
  }, { ...PATIENT, seed: 1, only: ["PERSIST-01"] });
  return `${result?.outcome}: ${result?.reason}`;
}

function over(wrong: Partial<Engine>): StorageLike {
  const engine = memoryEngine(100, Date.now, () => {});
  return createSessionStorage({
    engine: {
      guarantees: { ...engine.guarantees, evicts: "nothing" },
      read: (key) => engine.read(key),
      write: (key, value, options) => engine.write(key, value, options),
      delete: (key, options) => engine.delete(key, options),
      ...wrong,
    },
  });
}

/** As pg throws it. */
class DatabaseError extends Error {
  override readonly name = "error";
}

const rows: [string, () => StorageLike, string][] = [
  [
    "an engine without its table",
    () =>
      over({
        write: () => {
          throw new DatabaseError('relation "sessions" does not exist');
        },
      }),
    'error: no rule can be tried, since a plain visit (read, set, save) failed: save by A1 rejected: SessionError: Cannot save session: the engine failed; caused by error: relation "sessions" does not exist',
  ],
  [
    "a database that is not running, as Node says it",
    () =>
      over({
        write: () => {
          const refused = Object.assign(new Error("connect ECONNREFUSED"), {
            code: "ECONNREFUSED",
          });
          throw Object.assign(new AggregateError([refused], ""), {
            code: "ECONNREFUSED",
          });
        },
      }),
    "the engine failed; caused by AggregateError: ECONNREFUSED; caused by Error: connect ECONNREFUSED",
  ],
  [
    "a BIGINT that arrives as text",
    () => {
      const engine = memoryEngine(100, Date.now, () => {});
      return over({
        write: (key, value, options) => engine.write(key, value, options),
        read: async (key) => {
          const record = await engine.read(key);
          return record &&
            { ...record, expires: `${record.expires}` as unknown as number };
        },
      });
    },
    "the engine's read() returned a record whose expires is a string; it must be a number of milliseconds (many SQL drivers return a BIGINT as a string",
  ],
  [
    "a session whose get is no method",
    () => ({
      read: async () => ({
        get: 1,
        set() {},
        has() {},
        unset() {},
        flash() {},
      }),
      save: async () => null,
    }),
    "read() returned an object whose get is a number; in a session it is a method",
  ],
];

for (const [name, open, reason] of rows) {
  Deno.test(`checkStorage() says what to mend, for ${name}`, async () => {
    assertStringIncludes(await reasonFor(open), reason, name);
  });
}

Deno.test("checkStorage() shows a cause that repeats itself once", async () => {
  const inner = new Error("the disk is full");
  const outer = new Error("Error: the disk is full", { cause: inner });
  const open = () => over({ write: () => Promise.reject(outer) });
  const said = await reasonFor(open);
  assertEquals(said.split("the disk is full").length - 1, 1, said);
});
