/**
 * Ways to break a storage of any shape from outside.
 *
 * @module
 */
import { PORT, type Port, portOf } from "../trial/port.ts";
import type { Claim } from "../capabilities.ts";
import type {
  Opened,
  OpenOptions,
  SessionLike,
  StorageLike,
  Target,
} from "../types.ts";

/** A way to break any storage. */
export interface Sabotage {
  /** What is broken. */
  readonly name: string;
  /** What it means if the rules still pass. */
  readonly green: string;
  /** What the target must claim. */
  readonly capabilities?: readonly Claim[];
  /** Whether it needs stored records: a target whose cookie is the session must claim `namespaces` too. */
  readonly stored?: boolean;
  /** The rules that must fail. */
  readonly rules: readonly string[];
  /** Whether the outcome `not-run` is enough too. @default {false} */
  readonly blind?: boolean;
  /** Breaks a target. */
  readonly apply: (target: Target) => Target;
}

/** The sabotages: broken storages first, then broken wiring. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: "every read returns a new session",
    green: "the values that the rules read do not come from the storage",
    rules: ["PERSIST-01", "FLASH-01"],
    apply: (target) =>
      rewire(target, (port) => ({ ...port, read: () => port.read(null) })),
  },
  {
    name: "every read returns the session saved last",
    green: "the cookie does not decide which session is read",
    rules: ["ISO-03"],
    apply: (target) => {
      let last: string | null = null;
      return rewire(target, (port) => ({
        ...port,
        read: () => port.read(last),
        save: async (session, options) => {
          const sent = await port.save(session, options);
          if (sent.kind === "cookie") last = sent.cookie;
          return sent;
        },
      }));
    },
  },
  {
    name: "later saves are dropped, but resolve",
    green: "changes are stored by something else than save",
    rules: ["PERSIST-03", "FLASH-03", "UNSET-01"],
    apply: (target) =>
      rewire(target, (port) => {
        const cookies = new WeakMap<SessionLike, string>();
        return {
          ...port,
          read: async (cookie) => {
            const session = await port.read(cookie);
            if (cookie !== null) cookies.set(session, cookie);
            return session;
          },
          save: async (session, options) => {
            const cookie = cookies.get(session);
            return cookie === undefined
              ? await port.save(session, options)
              : { kind: "cookie", cookie };
          },
        };
      }),
  },
  {
    name: "values come back changed",
    green: "the values that the rules read do not come from the storage",
    rules: ["PERSIST-01", "SERIAL-01"],
    apply: (target) =>
      rewire(target, (port) =>
        withSessions(port, (session) => ({
          get: (key) => alter(session.get(key)),
        }))),
  },
  {
    name: "a flash is never consumed",
    green: "the flashes that the rules read are not the stored ones",
    rules: ["FLASH-03"],
    apply: (target) =>
      rewire(target, (port) => {
        const flashes = new Map<string, unknown>();
        return withSessions(port, (session) => ({
          flash: (key, value) => {
            flashes.set(key, value);
            session.flash(key, value);
          },
          get: (key) => {
            const value = session.get(key);
            if (flashes.has(key)) session.flash(key, flashes.get(key));
            return value;
          },
        }));
      }),
  },
  {
    name: "destroy does nothing",
    green: "sessions end for another reason than destroy",
    capabilities: ["revoke"],
    rules: ["PERSIST-05"],
    apply: (target) =>
      rewire(target, (port) => ({
        ...port,
        destroy: async () => ({ kind: "clear" }),
      })),
  },
  {
    name: "regenerating the id does nothing",
    green: "the ids that the rules compare are not those of the sessions",
    rules: ["REGEN-01"],
    apply: (target) =>
      rewire(
        target,
        (port) => withSessions(port, () => ({ regenerateId() {} })),
      ),
  },
  {
    name: "sessions do not have an owner",
    green: "open() does not pass `owner` on to the storage",
    capabilities: ["owners"],
    rules: ["OWNER-01", "OWNER-04"],
    apply: (target) =>
      reopen(
        target,
        (options) =>
          target.open(
            options.owner ? { ...options, owner: () => undefined } : options,
          ),
      ),
  },
  {
    name: "destroySessions does nothing",
    green: "sessions end for another reason than destroySessions",
    capabilities: ["owners"],
    rules: ["OWNER-04"],
    apply: (target) =>
      reopen(target, async (options) => {
        const { storage, ...parts } = partsOf(await target.open(options));
        return {
          ...parts,
          storage: {
            ...rewired(storage, portOf(storage)),
            destroySessions: async (owner: string) =>
              (await storage.listSessions?.(owner))?.length,
          },
        };
      }),
  },
  {
    name: "no time passes",
    green:
      "sessions expire although the clock does not move: open() does not pass `now` on, or the clock does not age records",
    capabilities: ["idle"],
    rules: ["EXPIRY-02"],
    apply: stopClock,
  },
  {
    name: "each open is in a namespace of its own",
    green: "open() ignores `namespace`: all checks share their records",
    capabilities: ["shared"],
    stored: true,
    rules: ["PERSIST-04"],
    apply: scatter,
  },
  {
    name: "each reopening is in a namespace of its own",
    green: "open() ignores `namespace`: all checks share their records",
    capabilities: ["durable"],
    stored: true,
    rules: ["PERSIST-08"],
    apply: scatter,
  },
  {
    name: "all namespaces are one",
    green: "open() does not pass `namespace` on to the engine",
    capabilities: ["namespaces"],
    rules: ["ISO-04"],
    apply: (target) => {
      let only: string | undefined;
      return reopen(target, (options) => {
        only ??= options.namespace;
        return target.open({ ...options, namespace: only });
      });
    },
  },
  {
    name: "the faults hooks do nothing",
    green: "the storage fails without the faults hooks too",
    capabilities: ["faults"],
    rules: ["FAULT-01", "FAULT-02"],
    apply: (target) =>
      reopen(target, async (options) => ({
        ...partsOf(await target.open(options)),
        faults: { fail() {}, heal() {} },
      })),
  },
  {
    name: "the inspect hooks return no records",
    green: "the rules do not read stored bytes from the inspect hooks",
    capabilities: ["inspect"],
    rules: ["UNSET-05"],
    // The rule may be `not-run` then.
    blind: true,
    apply: (target) =>
      reopen(target, async (options) => ({
        ...partsOf(await target.open(options)),
        inspect: { records: async () => new Map(), async write() {} },
      })),
  },
];

/** The target with another `open`. */
function reopen(target: Target, open: Target["open"]): Target {
  const { name, capabilities, clock, limits, profile } = target;
  return {
    name,
    capabilities,
    ...clock ? { clock } : {},
    ...limits ? { limits } : {},
    ...profile ? { profile } : {},
    open,
  };
}

/** The parts of an open storage, as a plain object. */
function partsOf(opened: Opened): Opened {
  const { storage, inspect, faults } = opened;
  return {
    storage,
    ...inspect ? { inspect } : {},
    ...faults ? { faults } : {},
    close: () => opened.close?.(),
  };
}

/** The target with a storage whose port is changed. */
function rewire(target: Target, change: (port: Port) => Port): Target {
  return reopen(target, async (options) => {
    const opened = await target.open(options);
    const { storage } = opened;
    return {
      ...partsOf(opened),
      storage: rewired(storage, change(portOf(storage))),
    };
  });
}

/** A storage behind another port. */
function rewired(storage: StorageLike, port: Port): StorageLike {
  return {
    [PORT]: port,
    ...storage.sweep ? { sweep: () => storage.sweep?.() } : {},
    listSessions: storage.listSessions?.bind(storage),
    destroySessions: storage.destroySessions?.bind(storage),
    close: async () => await storage.close?.(),
  } as StorageLike;
}

/** A port whose sessions have some methods replaced. */
function withSessions(
  port: Port,
  change: (session: SessionLike) => Partial<SessionLike>,
): Port {
  const inner = new WeakMap<SessionLike, SessionLike>();
  const real = (session: SessionLike) => inner.get(session) ?? session;
  return {
    ...port,
    read: async (cookie) => {
      const session = await port.read(cookie);
      const outer: SessionLike = {
        get id() {
          return session.id;
        },
        get: (key) => session.get(key),
        set: (key, value) => session.set(key, value),
        has: (key) => session.has(key),
        unset: (key) => session.unset(key),
        flash: (key, value) => session.flash(key, value),
        ...session.destroy ? { destroy: () => session.destroy?.() } : {},
        ...session.regenerateId
          ? { regenerateId: () => session.regenerateId?.() }
          : {},
      };
      const { regenerateId, ...changes } = change(session);
      Object.assign(outer, changes);
      if (regenerateId && outer.regenerateId) {
        Object.assign(outer, { regenerateId });
      }
      inner.set(outer, session);
      return outer;
    },
    save: (session, options) => port.save(real(session), options),
    destroy: (session) => port.destroy(real(session)),
  };
}

function alter(value: unknown): unknown {
  if (typeof value === "string") return `${value}!`;
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (Array.isArray(value)) return [...value, null];
  return typeof value === "object" && value !== null
    ? { ...value, altered: true }
    : value;
}

/** The target with a clock that does not move; with a real clock, without lifetimes. */
function stopClock(target: Target): Target {
  const { clock } = target;
  if (clock?.kind === "real") {
    return reopen(
      target,
      ({ namespace, now }) => target.open({ namespace, now }),
    );
  }
  const start = Date.now();
  const stopped = reopen(target, (options) =>
    target.open(
      clock?.kind === "virtual" ? { ...options, now: () => start } : options,
    ));
  return {
    ...stopped,
    clock: clock?.kind === "virtual"
      ? { kind: "virtual", advance() {} }
      : { kind: "aged", async age() {} },
  };
}

/** The target with a new namespace for every `open`. */
function scatter(target: Target): Target {
  let opens = 0;
  return reopen(
    target,
    (options: OpenOptions) =>
      target.open({ ...options, namespace: `${options.namespace}o${opens++}` }),
  );
}
