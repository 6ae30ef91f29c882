/**
 * Read-through storages. In the first target, sessions begin in the storage `to`. In the second, they stay in `from`. In
 * the others, every new session is saved in `from`, and moves to `to` when it is read.
 */
import { conformance, instrument, rules } from "../../conformance/mod.ts";
import type { Capability, OpenOptions, Target } from "../../conformance/mod.ts";
import {
  createCookie,
  createCookieSessionStorage,
  createReadThroughSessionStorage,
  createSessionStorage,
  type FlashSessionData,
  type Session,
  type SessionStorage,
} from "../../mod.ts";
import { stateOf } from "../../core/session.ts";
import type { BoundStorage } from "../../storage/sessions/bound_storage.ts";
import {
  type AsynchronousMemoryEngine,
  memoryEngine,
} from "../engines/_memory.ts";
import { ENGINE, PATIENT } from "./targets.ts";

type Storage = SessionStorage;
type Opener = (options: OpenOptions) => {
  storage: Storage;
  /** The cookie's name. */
  name: string;
  inspect?: ReturnType<typeof instrument>["inspect"];
  faults?: ReturnType<typeof instrument>["faults"];
};

const cookie = { name: "session", secrets: ["s3cr3t"] };
const clock = { kind: "virtual", advance() {} } as const;

/** Memory, whose instances over one namespace share one engine. */
function memory(): Opener {
  const engines = new Map<string, [AsynchronousMemoryEngine, Set<string>]>();
  return ({ namespace, maxAge, ...options }) => {
    const { now } = options;
    const [memory, keys] = engines.get(namespace) ??
      [memoryEngine(1000, now, () => {}), new Set<string>()];
    engines.set(namespace, [memory, keys]);
    const { engine, ...hooks } = instrument(memory, keys);
    const storage = createSessionStorage({
      ...options,
      engine,
      cookie: { ...cookie, maxAge },
    });
    return { ...hooks, storage, name: cookie.name };
  };
}

function sealedCookie(): Opener {
  return ({ namespace, maxAge, ...options }) => ({
    name: namespace,
    storage: createCookieSessionStorage({
      ...options,
      cookie: { ...cookie, name: namespace, maxAge },
    }),
  });
}

/** A database that counts its sessions, with a cookie of another name. */
function database(): Opener {
  type Row = { data: string; expires: number };
  type Plain = FlashSessionData<object, object>;
  const tables = new Map<string, Map<string, Row>>();
  return ({ namespace, now, maxAge, ...timeouts }) => {
    const table = tables.get(namespace) ?? new Map<string, Row>();
    tables.set(namespace, table);
    const write = (id: string, data: Plain, expires: Date) => {
      table.set(id, { data: JSON.stringify(data), expires: Number(expires) });
    };
    const storage = createSessionStorage({
      ...timeouts,
      now,
      cookie: { ...cookie, name: "sid", maxAge },
      async createData(data: Plain, expires: Date) {
        const id = `db:${crypto.randomUUID()}${crypto.randomUUID()}`;
        write(id, data, expires);
        return id;
      },
      async readData(id: string) {
        const row = table.get(id);
        return row && row.expires > now() ? JSON.parse(row.data) : null;
      },
      async updateData(id: string, data: Plain, expires: Date) {
        if (table.has(id)) write(id, data, expires);
      },
      async deleteData(id: string) {
        table.delete(id);
      },
    });
    return { storage, name: "sid" };
  };
}

/** @param begins Whether new sessions are saved in the storage `from`. */
function movingTarget(
  name: string,
  [from, to]: readonly [Opener, Opener],
  capabilities: readonly Capability[],
  begins = true,
  keepOld = false,
): Target {
  return {
    name,
    clock,
    capabilities,
    open(options) {
      const old = from(options);
      const next = to(options);
      const moving = createReadThroughSessionStorage({
        to: next.storage,
        from: old.storage,
        keepOld,
      });
      const { sessions } = moving as BoundStorage<object, object>;
      const stored = new WeakSet<Session>();
      const storage = {
        async getSession(cookieHeader?: string | null) {
          const session = await moving.getSession(cookieHeader);
          const state = stateOf(session);
          if (state?.stored || state?.noteIn(sessions)) stored.add(session);
          return session;
        },
        commitSession(session: Session, attributes?: object) {
          const saved = begins && !stored.has(session) ? old.storage : moving;
          return saved.commitSession(session, attributes);
        },
        destroySession: moving.destroySession,
        listSessions: moving.listSessions,
        destroySessions: moving.destroySessions,
        sweep: () => moving.sweep?.() ?? Promise.resolve(),
        close: () => moving.close?.() ?? Promise.resolve(),
      };
      const { inspect, faults } = next;
      // A session has moved as soon as it is read; but a database names it when it is saved.
      const { name } = next.inspect ? next : old;
      const cookieFor = async (id: string) =>
        (await createCookie(name, { secrets: cookie.secrets }).serialize(
          id,
        )).split(
          ";",
          1,
        )[0] ?? "";
      if (!inspect || !faults || !old.inspect || !old.faults) {
        return { storage, cookieFor };
      }
      const [first, second] = [old.inspect, inspect];
      return {
        storage,
        cookieFor,
        inspect: {
          records: async () =>
            new Map([...await first.records(), ...await second.records()]),
          async write(key, text) {
            const inOld = (await first.records()).has(key);
            await (inOld ? first : second).write(key, text);
          },
        },
        faults: {
          async fail(what) {
            await old.faults?.fail(what);
            await faults.fail(what);
          },
          async heal() {
            await old.faults?.heal();
            await faults.heal();
          },
        },
      };
    },
  };
}

const TIMED: readonly Capability[] = [
  "shared",
  "namespaces",
  "expiry",
  "touch",
  "absolute",
  "lifetime",
];

/** MODEL-01 saves a session in `from` again after it has moved, as a server without read-through would. */
const only = rules.map(({ id }) => id).filter((id) => id !== "MODEL-01");
const MOVES = "it moves when it is read";
const NEW_ID = "its new id is sent as soon as it has one";
const RENAMED = "from has set the cookie, under another name";

const memoryCan: readonly Capability[] = [...ENGINE, "sweep"];
const renamed: readonly Capability[] = [...TIMED, "revoke", "merge"];

conformance(
  Deno.test,
  movingTarget("read-through", [memory(), memory()], memoryCan, false),
  PATIENT,
);

conformance(
  Deno.test,
  movingTarget(
    "read-through, keepOld",
    [memory(), memory()],
    memoryCan,
    false,
    true,
  ),
  PATIENT,
);

conformance(
  Deno.test,
  movingTarget(
    "read-through, memory to memory",
    [memory(), memory()],
    memoryCan,
  ),
  {
    ...PATIENT,
    only,
    expectedFailures: {
      "SERIAL-04": MOVES,
    },
  },
);

for (
  const [name, old] of [
    ["database", database()],
    ["cookie", sealedCookie()],
  ] as const
) {
  conformance(
    Deno.test,
    movingTarget(`read-through, ${name} to memory`, [old, memory()], renamed),
    {
      ...PATIENT,
      only,
      expectedFailures: {
        "PERSIST-02": NEW_ID,
        "UNSET-02": NEW_ID,
        "COOKIE-02": RENAMED,
        "COOKIE-05": RENAMED,
        "COOKIE-07": RENAMED,
      },
    },
  );
}

conformance(
  Deno.test,
  movingTarget(
    "read-through, memory to database",
    [memory(), database()],
    TIMED,
  ),
  {
    ...PATIENT,
    only,
    expectedFailures: {
      "UNSET-03": MOVES,
      "UNSET-08": MOVES,
      "EXPIRY-13": MOVES,
      "COOKIE-02": RENAMED,
      "COOKIE-05": RENAMED,
      "COOKIE-07": RENAMED,
    },
  },
);
