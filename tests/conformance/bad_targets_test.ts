/** Targets that are wired wrongly, lie or misbehave: the run ends, says so, and is never green. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  checkStorage,
  conformance,
  type Opened,
  type OpenOptions,
  type Outcome,
  type Target,
} from "../../conformance/mod.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";

// deno-lint-ignore no-explicit-any -- these are what types forbid
type Any = any;

interface Bad {
  name: string;
  target: Partial<Target>;
  /** The rule that says so. @default {"PERSIST-01"} */
  rule?: string;
  outcome: Outcome;
  reason: RegExp;
}

function open({ namespace: _, ...options }: OpenOptions): Opened {
  return { storage: createMemorySessionStorage(options) };
}

/** A memory storage with something replaced, and without what would not be found on a replacement. */
function withStorage(change: (storage: Any) => Any): Partial<Target> {
  return {
    open({ namespace: _, ...options }: OpenOptions): Any {
      const storage = createMemorySessionStorage(options) as Any;
      return {
        storage: {
          read: (value: Any) => storage.read(value),
          save: (session: Any, options: Any) => storage.save(session, options),
          ...change(storage),
        },
      };
    },
  };
}

/** A memory storage whose sessions have something replaced. */
function withSession(change: (session: Any) => Any): Partial<Target> {
  return withStorage((storage) => ({
    read: async (value: Any) => {
      const session = await storage.read(value);
      const changed = Object.getOwnPropertyDescriptors(change(session));
      return Object.defineProperties(session, changed);
    },
  }));
}

const never = new Promise<never>(() => {});
const circular: Any = Object.create(null);
circular.self = circular;

const bad: Bad[] = [
  {
    name: "open throws",
    target: {
      open() {
        throw new Error("no engine");
      },
    },
    outcome: "error",
    reason: /^open\(\) threw: Error: no engine$/,
  },
  {
    name: "open rejects with a string",
    target: { open: () => Promise.reject("no engine") },
    outcome: "error",
    reason: /^open\(\) threw: it threw a value of type string$/,
  },
  {
    name: "open throws an error that cannot be described",
    target: {
      open() {
        throw Object.defineProperty(new Error(), "message", {
          get() {
            throw new Error("twice");
          },
        });
      },
    },
    outcome: "error",
    reason: /^open\(\) threw: it threw a value of type object$/,
  },
  {
    name: "open gives undefined",
    target: { open: () => undefined as Any },
    outcome: "error",
    reason: /^open\(\) did not return a storage$/,
  },
  {
    name: "open gives something else than a storage",
    target: { open: () => ({ storage: {} }) },
    outcome: "error",
    reason: /^open\(\) must return a storage with read and save/,
  },
  {
    name: "open hangs",
    target: { open: () => never },
    outcome: "error",
    reason:
      /^open\(\) took more than 100 ms; check that what it waits for is running|^skipped, because/,
  },
  {
    name: "close throws",
    target: {
      open: (options) => ({
        ...open(options),
        close() {
          throw new Error("stuck");
        },
      }),
    },
    outcome: "error",
    reason: /^close\(\) threw: Error: stuck$/,
  },
  {
    name: "close hangs",
    target: { open: (options) => ({ ...open(options), close: () => never }) },
    outcome: "error",
    reason: /^close\(\) took more than 100 ms; check that|^skipped, because/,
  },
  {
    name: "read hangs",
    target: withStorage(() => ({ read: () => never })),
    outcome: "error",
    reason:
      /^reading a session has not answered within 100 ms; check that the engine is running|^skipped, because/,
  },
  {
    name: "read throws at once",
    target: withStorage(() => ({
      read() {
        throw new Error("down");
      },
    })),
    outcome: "error",
    reason:
      /^no rule can be tried, since a plain visit \(read, set, save\) failed: reading a session rejected: Error: down$/,
  },
  {
    name: "read gives undefined",
    target: withStorage(() => ({ read: async () => undefined })),
    outcome: "fail",
    reason: /read\(\) returned undefined; it must return a session$/,
  },
  {
    name: "read gives a session of another library",
    target: withStorage(() => ({
      read: async () => ({ user: null, save() {} }),
    })),
    outcome: "fail",
    reason:
      /returned an object without get, set, has, unset, flash; it must return/,
  },
  {
    name: "read gives a cookie's value",
    target: withStorage(() => ({ read: async () => "secret-id" })),
    outcome: "fail",
    reason: /read\(\) returned a string; it must return a session$/,
  },
  {
    name: "there is no save",
    target: withStorage(() => ({ save: undefined })),
    outcome: "fail",
    reason: /save\(\) returned undefined; it must return a string or null$/,
  },
  {
    name: "save gives an object",
    target: withStorage(() => ({ save: async () => ({}) })),
    outcome: "fail",
    reason: /save\(\) returned an object; it must return a string or null$/,
  },
  {
    name: "commitSession gives nothing",
    target: {
      open: () => ({
        storage: {
          getSession: () => createMemorySessionStorage().read(null),
          async commitSession() {},
          async destroySession() {},
        } as Any,
      }),
    },
    outcome: "fail",
    reason: /commitSession\(\) returned undefined; it must return a string$/,
  },
  {
    name: "a session's methods throw",
    target: withSession(() => ({
      set() {
        throw new Error("read-only");
      },
    })),
    outcome: "error",
    reason: /failed: set "n" threw Error: read-only$/,
  },
  {
    name: "a session's methods are asynchronous",
    target: withSession((session) => {
      const get = session.get.bind(session);
      return { get: async (key: string) => get(key) };
    }),
    outcome: "fail",
    reason: /changed$/,
  },
  {
    name: "values cannot be shown",
    target: withSession(() => ({ get: () => circular })),
    outcome: "fail",
    reason: /changed$/,
  },
  {
    name: "a promise is forgotten",
    target: withStorage((storage) => ({
      save(session: Any) {
        void Promise.reject(new Error("lost"));
        return storage.save(session);
      },
    })),
    outcome: "error",
    reason: /^an error was thrown outside of every call: Error: lost/,
  },
  {
    name: "it claims expiry, and ignores the clock",
    target: {
      capabilities: ["expiry"],
      clock: { kind: "virtual", advance() {} },
      open: ({ idleTimeout }) => ({
        storage: createMemorySessionStorage({ idleTimeout }),
      }),
    },
    rule: "EXPIRY-02",
    outcome: "error",
    reason: /^the storage never called now\(\), .*hand the now of open\(\)/,
  },
  {
    name: "it claims expiry, and has no clock",
    target: { capabilities: ["expiry"] },
    rule: "EXPIRY-02",
    outcome: "not-run",
    reason: /^the target does not have a clock$/,
  },
  {
    name: "its clock throws",
    target: {
      capabilities: ["expiry"],
      clock: {
        kind: "aged",
        age: () => Promise.reject(new Error("no such engine")),
      },
    },
    rule: "EXPIRY-02",
    outcome: "error",
    reason: /^clock\.age\(\) threw: Error: no such engine$/,
  },
  {
    name: "it claims faults, and gives no hooks",
    target: { capabilities: ["faults", "revoke"] },
    rule: "FAULT-01",
    outcome: "not-run",
    reason: /^it claims faults, but open\(\) did not return faults$/,
  },
  {
    name: "it claims inspect, and gives no hooks",
    target: { capabilities: ["inspect"] },
    rule: "UNSET-05",
    outcome: "not-run",
    reason: /^it claims inspect, but open\(\) did not return inspect$/,
  },
  {
    name: "its inspect hooks give no records",
    target: {
      capabilities: ["inspect"],
      open: (options) => ({
        ...open(options),
        inspect: { records: async () => undefined as Any, async write() {} },
      }),
    },
    rule: "UNSET-05",
    outcome: "error",
    reason: /^inspect\.records\(\) threw: TypeError: it must return a Map$/,
  },
  {
    name: "its inspect hook cannot write",
    target: {
      capabilities: ["inspect"],
      open: (options) => ({
        ...open(options),
        inspect: {
          records: async () => new Map([[crypto.randomUUID(), "{}"]]),
          write: () => Promise.reject(new Error("read-only")),
        },
      }),
    },
    rule: "HOSTILE-04",
    outcome: "error",
    reason: /^inspect\.write\(\) threw: Error: read-only$/,
  },
  {
    name: "it claims faults, and its hooks break nothing",
    target: {
      capabilities: ["faults"],
      open: (options) => ({
        ...open(options),
        faults: { fail() {}, heal() {} },
      }),
    },
    rule: "FAULT-01",
    outcome: "error",
    reason: /^faults\.fail\(\) did nothing: a read returned the stored session/,
  },
  {
    name: "it claims faults, and a hook does not reach the writes",
    target: {
      capabilities: ["faults"],
      open: (options) => ({
        ...open(options),
        faults: { fail() {}, heal() {} },
      }),
    },
    rule: "FAULT-02",
    outcome: "error",
    reason: /^faults\.fail\(\) did nothing: a save was stored/,
  },
  {
    name: "it claims inspect, and its hooks show nothing",
    target: {
      capabilities: ["inspect"],
      open: (options) => ({
        ...open(options),
        inspect: { records: async () => new Map(), async write() {} },
      }),
    },
    rule: "UNSET-05",
    outcome: "not-run",
    reason: /stored bytes/,
  },
  {
    name: "it claims owners and lists nobody's sessions",
    target: {
      ...withStorage(() => ({})),
      capabilities: ["owners"],
    },
    rule: "OWNER-01",
    outcome: "fail",
    reason: /^it claims "owners", but does not have listSessions\(\)$/,
  },
  {
    name: "listSessions gives an object",
    target: {
      ...withStorage(() => ({ listSessions: async () => ({}) })),
      capabilities: ["owners"],
    },
    rule: "OWNER-01",
    outcome: "fail",
    reason: /^listSessions\(\) returned an object; it must return a list$/,
  },
  {
    name: "listSessions gives ids",
    target: {
      ...withStorage(() => ({ listSessions: async () => ["secret-id", null] })),
      capabilities: ["owners"],
    },
    rule: "OWNER-01",
    outcome: "fail",
    reason:
      /^listSessions\(\) returned a session whose id is undefined; it must be a string$/,
  },
  {
    name: "listSessions throws at once",
    target: {
      ...withStorage(() => ({
        listSessions() {
          throw new Error("down");
        },
      })),
      capabilities: ["owners"],
    },
    rule: "OWNER-01",
    outcome: "fail",
    reason: /^list the sessions of "u1" rejected: Error: down$/,
  },
  {
    name: "destroySessions gives nothing",
    target: {
      ...withStorage((storage) => ({
        listSessions: (owner: Any) => storage.listSessions(owner),
        async destroySessions() {},
      })),
      capabilities: ["owners"],
    },
    rule: "OWNER-04",
    outcome: "fail",
    reason:
      /^destroySessions\(\) returned undefined; it must return the number/,
  },
  {
    name:
      "it claims shared and durable, and each opening is a world of its own",
    target: { capabilities: ["shared", "durable"] },
    rule: "PERSIST-04",
    outcome: "fail",
    reason: /^the second instance does not read the session$/,
  },
  {
    name: "it claims namespaces, and has one for all",
    target: (() => {
      const storage = createMemorySessionStorage();
      return { capabilities: ["namespaces"], open: () => ({ storage }) };
    })(),
    rule: "ISO-04",
    outcome: "fail",
    reason: /./,
  },
  {
    name: "it claims sweep, and has none",
    target: {
      ...withStorage(() => ({})),
      capabilities: ["sweep", "expiry"],
      clock: { kind: "virtual", advance() {} },
    },
    rule: "EXPIRY-10",
    outcome: "fail",
    reason: /sweep/,
  },
];

for (const { name, target, rule = "PERSIST-01", outcome, reason } of bad) {
  Deno.test(`checkStorage() says so and is not green, when ${name}`, async () => {
    const report = await checkStorage(
      { name: "bad", capabilities: [], open, ...target },
      { seed: 1, deadline: 0.1 },
    );
    const result = report.results.find((result) => result.rule === rule);
    assert(result, rule);
    // Which three rules are tried of a target that hangs is left to the seed.
    const skipped = /did not answer in 3 rules/.test(result.reason ?? "");
    assertEquals(skipped ? outcome : result.outcome, outcome, result.reason);
    assertMatch(result.reason ?? "", reason);
    assert(["nonconformant", "incomplete"].includes(report.verdict));
  });
}

Deno.test("checkStorage() waits for three rules only, when a target hangs in all", async () => {
  const { results } = await checkStorage(
    { name: "bad", capabilities: [], open: () => never },
    { deadline: 0.1 },
  );
  const outcomes = results.map(({ outcome }) => outcome);
  assertEquals(outcomes.filter((outcome) => outcome === "error").length, 3);
  assertEquals(outcomes.includes("pass"), false);
});

Deno.test("checkStorage() closes what a check opens too late", async () => {
  let opened = 0;
  let closed = 0;
  const later: (() => void)[] = [];
  await checkStorage({
    name: "late",
    capabilities: [],
    async open(options) {
      opened++;
      await new Promise<void>((resolve) => later.push(resolve));
      return { ...open(options), close: () => void closed++ };
    },
  }, { deadline: 0.02, only: ["PERSIST-01"] });
  for (const resolve of later) resolve();
  await new Promise((resolve) => setTimeout(resolve));
  // The measurement before the rules opens it too.
  assertEquals([opened, closed], [2, 2]);
});

const malformed: [string, unknown, RegExp][] = [
  ["nothing", undefined, /it must be an object/],
  ["no name", { capabilities: [], open }, /name must be a string/],
  ["no capabilities", { name: "x", open }, /capabilities must be a list/],
  ["no open", { name: "x", capabilities: [] }, /open must be a function/],
  [
    "an unknown capability",
    { name: "x", capabilities: ["fast"], open },
    /unknown capability fast/,
  ],
  [
    "an unknown clock",
    { name: "x", capabilities: [], open, clock: { kind: "water" } },
    /virtual, aged or real/,
  ],
  [
    "an unknown profile",
    { name: "x", capabilities: [], open, profile: "constructor" },
    /unknown profile constructor/,
  ],
];

for (const [name, target, message] of malformed) {
  Deno.test(`conformance() throws a TypeError, for a target with ${name}`, () => {
    const error = assertThrows(
      () => conformance(() => {}, target as Target),
      TypeError,
    );
    assertMatch(error.message, message);
  });
}
