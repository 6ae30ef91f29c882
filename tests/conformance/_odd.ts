/**
 * Storages that do it another way than ours, and are right.
 */
import { createCookie, createSessionStorage, type Engine } from "../../mod.ts";
import {
  instrument,
  type OpenOptions,
  type Target,
} from "../../conformance/mod.ts";
import { MemoryEngine } from "../../storage/engines/memory.ts";
import { oddCookies } from "./_odd_cookie.ts";
import { LaggingEngine } from "./_odd_engine.ts";
import { ReplayStorage } from "./_odd_session.ts";
import { CLAIMS, type Defect, edit, memory } from "./mutants/_mutant.ts";
import { engineTarget, memoryTarget } from "./targets.ts";

/** What is done otherwise than in the storage in memory. */
const odd: Readonly<Record<string, Defect>> = {
  "slow": ({ engine }) => ({
    engine: everyCall(engine, async (call) => {
      for (let i = 0; i < 3; i++) await turn();
      const result = await call();
      await turn();
      return result;
    }),
  }),
  "now slow, now quick": ({ engine }) => {
    let calls = 0;
    return {
      engine: everyCall(engine, async (call) => {
        for (let i = calls++ % 3 * 2; i > 0; i--) await turn();
        return await call();
      }),
    };
  },
  "one call at a time": ({ engine }) => {
    let queue: Promise<unknown> = Promise.resolve();
    return {
      engine: everyCall(engine, (call) => {
        const mine = queue.then(call);
        queue = mine.catch(() => {});
        return mine;
      }),
    };
  },
  "writes of one moment together": ({ engine }) => {
    const waiting: (() => void)[] = [];
    const { read: _, ...writes } = everyCall(engine, async (call) => {
      await new Promise<void>((resolve) => {
        if (waiting.push(resolve) > 1) return;
        turn().then(() => waiting.splice(0).forEach((go) => go()));
      });
      return await call();
    });
    return { engine: writes };
  },
  "a prefix before each id": (at) => ({
    storage: {
      read: (value) =>
        at.storage.read(value?.startsWith("app.") ? value.slice(4) : null),
      async save(session, options) {
        const id = await at.storage.save(session, options);
        return id && `app.${id}`;
      },
    },
  }),
  "keys in alphabetical order": ({ engine }) => ({
    engine: {
      write: (key, text, options) =>
        engine.write(
          key,
          edit(text, (parts) => {
            for (const i of [7, 8]) parts[i] = inOrder(parts[i]);
          }),
          options,
        ),
    },
  }),
  "encoded, each time otherwise": ({ engine }) => ({
    engine: {
      async read(key) {
        const record = await engine.read(key);
        return record && { ...record, value: decode(record.value) };
      },
      write: (key, text, options) => engine.write(key, encode(text), options),
    },
  }),
  "versions that are objects": ({ engine }) => ({
    engine: {
      async read(key) {
        const record = await engine.read(key);
        return record && { ...record, version: { n: record.version } };
      },
      async write(key, text, options) {
        const n = await engine.write(key, text, plain(options));
        return n === null ? null : { n };
      },
      delete: (key, options) => engine.delete(key, plain(options ?? {})),
      touch: (key, expires, options) =>
        engine.touch(key, expires, plain(options ?? {})),
    },
  }),
  "records gone at their deadline": (at) => ({
    engine: {
      async read(key) {
        const record = await at.engine.read(key);
        return record && record.expires > at.now() ? record : null;
      },
    },
  }),
  "a timer that holds nothing": () => {
    // As where one timer watches all calls, and stays for the next one.
    const timer: unknown = setTimeout(() => {}, 1000);
    (timer as { unref(): void }).unref();
    return { storage: { async close() {} } };
  },
  "a cookie for new ids only": () => ({
    session: (_, value) => ({
      async save(save) {
        const sent = await save();
        return sent === value ? null : sent;
      },
    }),
  }),
};

/** The odd storages. */
export const oddTargets: readonly Target[] = [
  ...Object.entries(odd).map(([name, how]) => memory(name, how)),
  ...oddCookies,
  headersOnly(),
  sweeping(),
  withoutTouch(),
  unsigned(),
  wholeSeconds(),
  lagging(),
  {
    name: "sessions of its own, without ids",
    capabilities: ["revoke", "merge"],
    open: () => ({ storage: new ReplayStorage() }),
  },
];

/** Sweeps now and then, until it is closed. */
function sweeping(): Target {
  const target = memory("a sweep now and then", () => ({}));
  return {
    ...target,
    async open(options) {
      const { storage, ...hooks } = await target.open(options);
      const timer = setInterval(() => void storage.sweep?.(), 1);
      const close = async () => clearInterval(timer);
      return { ...hooks, storage: { ...storage, close }, close };
    },
  };
}

/** Slides by writing. */
function withoutTouch(): Target {
  const connect = engines();
  return engineTarget("an engine without touch", (options) => {
    const engine = connect(options);
    return {
      // Without owned(), an owner's sessions are kept in lists.
      guarantees: { ...engine.guarantees, evicts: "nothing" },
      read: (key) => engine.read(key),
      write: (key, text, options) => engine.write(key, text, options),
      delete: (key, options) => engine.delete(key, options),
    };
  });
}

/** Read by headers only, as in React Router: ids are tried by a hook. */
function headersOnly(): Target {
  const target = memoryTarget();
  const cookie = createCookie("session", { secrets: ["s3cr3t"] });
  return {
    ...target,
    name: "headers only",
    async open(options) {
      const { storage, ...hooks } = await target.open(options);
      const { read: _, save: __, ...headers } = storage;
      const cookieFor = async (id: string) =>
        (await cookie.serialize(id)).split(";", 1)[0] ?? "";
      return { ...hooks, storage: headers, cookieFor };
    },
  };
}

function unsigned(): Target {
  const connect = engines();
  return {
    name: "an unsigned cookie",
    clock: { kind: "virtual", advance() {} },
    capabilities: ["revoke", "shared", "expiry", "touch", "absolute", "merge"],
    open: ({ namespace, ...options }) => ({
      storage: createSessionStorage({
        ...options,
        engine: connect({ namespace, ...options }),
        cookie: { name: "id" },
      }),
    }),
  };
}

/** Deadlines rounded down to whole seconds, by a clock of its own. */
function wholeSeconds(): Target {
  const connect = engines();
  const keys = new Map<string, Set<string>>();
  const down = (ms: number) => Math.floor(ms / 1000) * 1000;
  return {
    name: "deadlines in whole seconds",
    capabilities: CLAIMS.filter((claim) => claim !== "absolute"),
    clock: {
      kind: "aged",
      async age(ms, namespace) {
        const engine = connect({ namespace, now: Date.now });
        for (const key of keys.get(namespace) ?? []) {
          const record = await engine.read(key);
          if (!record) continue;
          const expires = down(record.expires - ms);
          await engine.write(key, record.value, { expires });
        }
      },
    },
    open({ now: _, namespace, ...options }) {
      const given = connect({ namespace, ...options, now: Date.now });
      const known = keys.get(namespace) ?? new Set();
      keys.set(namespace, known);
      const { engine, ...hooks } = instrument({
        guarantees: { ...given.guarantees, evicts: "nothing" },
        read: (key) => given.read(key),
        write: (key, text, { expires, ...options }) =>
          given.write(key, text, { ...options, expires: down(expires) }),
        delete: (key, options) => given.delete(key, options),
        touch: (key, expires, options) =>
          given.touch(key, down(expires), options),
        sweep: (now) => given.sweep(now),
      }, known);
      return {
        ...hooks,
        storage: createSessionStorage({ ...options, engine }),
      };
    },
  };
}

/** What one instance writes reaches the others later, and time has to pass. */
function lagging(): Target {
  const lagMs = 4;
  const engines = new Map<string, LaggingEngine>();
  return {
    name: "reads that lag",
    // Nothing ends at once where reads lag, and what two requests write in one moment is not kept apart.
    capabilities: [
      "shared",
      "durable",
      "namespaces",
      "expiry",
      "touch",
    ],
    clock: { kind: "real", granularityMs: 4, lagMs },
    open({ namespace, now: _, ...timeouts }) {
      const shared = engines.get(namespace) ?? new LaggingEngine(lagMs);
      engines.set(namespace, shared);
      const engine = shared.connect();
      return { storage: createSessionStorage({ ...timeouts, engine }) };
    },
  };
}

/** Engines in memory, one for each namespace. */
function engines(): (options: OpenOptions) => MemoryEngine {
  const engines = new Map<string, MemoryEngine>();
  return ({ namespace, now }) => {
    const engine = engines.get(namespace) ??
      new MemoryEngine(100_000, now, () => {});
    engines.set(namespace, engine);
    return engine;
  };
}

/** Puts something around each call to an engine. */
function everyCall(
  engine: Pick<Required<Engine>, "read" | "write" | "delete" | "touch">,
  around: <T>(call: () => Promise<T>) => Promise<T>,
): Pick<Required<Engine>, "read" | "write" | "delete" | "touch"> {
  return {
    read: (...args) => around(() => engine.read(...args)),
    write: (...args) => around(() => engine.write(...args)),
    delete: (...args) => around(() => engine.delete(...args)),
    touch: (...args) => around(() => engine.touch(...args)),
  };
}

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function inOrder(entries: object): object {
  const sorted = Object.entries(entries).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(sorted);
}

function plain<T extends { readonly ifVersion?: unknown }>(options: T): T {
  const version = options.ifVersion as { n: unknown } | null | undefined;
  return version ? { ...options, ifVersion: version.n } : options;
}

/** Base64 with its padding, of bytes that are changed by a random one. */
function encode(text: string): string {
  const salt = Math.floor(Math.random() * 256);
  const bytes = new TextEncoder().encode(text + " ".repeat(salt % 3));
  let out = String.fromCharCode(salt);
  for (const byte of bytes) out += String.fromCharCode(byte ^ salt);
  return btoa(out);
}

function decode(code: string): string {
  try {
    const [salt = 0, ...bytes] = Array.from(
      atob(code),
      (character) => character.charCodeAt(0),
    );
    return new TextDecoder().decode(
      Uint8Array.from(bytes, (byte) => byte ^ salt),
    );
  } catch {
    return "";
  }
}
