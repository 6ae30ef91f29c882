/**
 * Storages that are right, and promise little or show themselves in another shape.
 */
import {
  createCookie,
  type Engine,
  type SaveOptions,
  type Session,
  type SessionStorage,
} from "../../../mod.ts";
import type {
  Capability,
  StorageLike,
  Target,
} from "../../../conformance/mod.ts";
import { CLAIMS, memory } from "../mutants/_mutant.ts";
import { odd, type Plain } from "./_build.ts";
import { ReplayStorage } from "./_replay_session.ts";

const SIGNED = { name: "session", secrets: ["s3cr3t"] };

/** The `Cookie` header that presents an id. */
async function cookieFor(id: string): Promise<string> {
  const { name, ...options } = SIGNED;
  const header = await createCookie(name, options).serialize(id);
  return header.split(";", 1)[0] ?? "";
}

/** Storages of other shapes and with other claims. */
export const claims: readonly Target[] = [
  claiming("nothing claimed"),
  claiming("only revoke", "revoke"),
  claiming("idle without maxAge", "revoke", "idle", "touch"),
  claiming("idle alone", "idle"),
  claiming("maxAge without idle", "revoke", "maxAge", "sweep", "inspect"),
  claiming("absolute alone", "absolute"),
  claiming("lifetime alone", "lifetime"),
  claiming("merge alone", "merge"),
  claiming("inspect alone", "inspect"),
  claiming("faults alone", "faults"),
  claiming("owners and what they need", "revoke", "merge", "owners"),
  claiming("everything", ...CLAIMS, "lifetime"),
  withoutClock(),
  odd("headers only", {
    cookie: SIGNED,
    hooks: { cookieFor },
    shape: ({ getSession, commitSession, destroySession }) => ({
      getSession,
      commitSession,
      destroySession,
    }),
    claims: ["revoke", "expiry", "touch", "absolute", "merge"],
  }),
  odd("values only", {
    shape: (storage) => ({
      read: (value) => storage.read(value),
      save: (session, options) => storage.save(session, options),
    }),
    claims: ["revoke", "expiry", "touch", "absolute", "merge"],
  }),
  odd("a class whose methods use this", {
    shape: (storage) => new Wrapped(storage),
    claims: ["revoke", "expiry", "touch", "absolute", "merge"],
  }),
  odd("sessions behind a proxy", { shape: proxied, claims: ["revoke"] }),
  odd("values without a prototype", { shape: bare, claims: ["revoke"] }),
  {
    name: "sessions of its own, without ids",
    capabilities: ["revoke", "merge"],
    open: () => ({ storage: new ReplayStorage() }),
  },
  memory("a prefix before each id", (at) => ({
    storage: {
      read: (value) =>
        at.storage.read(value?.startsWith("app.") ? value.slice(4) : null),
      async save(session, options) {
        const id = await at.storage.save(session, options);
        return id && `app.${id}`;
      },
    },
  })),
  memory("a cookie for new ids only", () => ({
    session: (_, value) => ({
      async save(save) {
        const sent = await save();
        return sent === value ? null : sent;
      },
    }),
  })),
  refusing("records over 4 KB are refused", 4096),
  refusing("records over 64 KB are refused", 65_536),
];

function claiming(name: string, ...claims: readonly Capability[]): Target {
  return odd(name, { claims });
}

/** Nobody can move its time. */
function withoutClock(): Target {
  const { clock: _, ...target } = odd("no clock, and no claim about time", {
    claims: CLAIMS.filter((claim) =>
      !["expiry", "touch", "absolute", "sweep"].includes(claim)
    ),
  });
  return {
    ...target,
    open: ({ now: _, ...options }) =>
      target.open({ ...options, now: Date.now }),
  };
}

/** Its methods cannot be called without their object. */
class Wrapped implements StorageLike {
  readonly #storage: SessionStorage;

  constructor(storage: SessionStorage) {
    this.#storage = storage;
  }

  read(value: string | null): Promise<Session> {
    return this.#storage.read(value);
  }

  save(session: Session, options?: SaveOptions): Promise<string | null> {
    return this.#storage.save(session, options);
  }
}

/** The application gets each session behind a proxy. */
function proxied(storage: SessionStorage): StorageLike {
  const inner = new WeakMap<object, Session>();
  return {
    async read(value) {
      const session = await storage.read(value);
      const outer = new Proxy(session, {
        get(_, name) {
          const value = Reflect.get(session, name, session);
          return typeof value === "function" ? value.bind(session) : value;
        },
      });
      inner.set(outer, session);
      return outer;
    },
    save: (session, options) =>
      storage.save(inner.get(session) ?? session, options),
  };
}

/** Every object in a value has the prototype `null`, so that no key can reach another. */
function bare(storage: SessionStorage): StorageLike {
  return {
    async read(value) {
      const session = await storage.read(value);
      const get = session.get.bind(session);
      return Object.defineProperty(session, "get", {
        value: (key: string) => strip(get(key)),
      });
    },
    save: (session, options) => storage.save(session, options),
  };
}

/** Takes the prototypes away in place, so that changes in place are still seen. */
function strip(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) strip(inner);
  return Array.isArray(value) ? value : Object.setPrototypeOf(value, null);
}

/** The error of an engine with a largest record. */
class RecordTooLarge extends Error {
  override readonly name = "RecordTooLarge";
}

function refusing(name: string, maxBytes: number): Target {
  return odd(name, {
    limits: { recordBytes: maxBytes - 256 },
    engine(engine: Plain): Engine {
      return {
        ...engine,
        guarantees: { ...engine.guarantees, maxBytes },
        async write(key, value, options) {
          if (new TextEncoder().encode(value).length > maxBytes) {
            throw new RecordTooLarge("the record is too large");
          }
          return await engine.write(key, value, options);
        },
      };
    },
  });
}
