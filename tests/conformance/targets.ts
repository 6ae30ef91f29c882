/**
 * The embedded storages as targets of the conformance suite, with every capability that they have.
 *
 * Portable: Bun and Node run these too.
 */
import {
  createCookieSessionStorage,
  createSession,
  createSessionStorage,
  type Engine,
  type FlashSessionData,
} from "../../mod.ts";
import {
  type Capability,
  instrument,
  type OpenOptions,
  type Target,
} from "../../conformance/mod.ts";
import { FileEngine } from "../../storage/engines/file/engine.ts";
import { MemcachedEngine } from "../../storage/engines/memcached/engine.ts";
import type { MemcacheLike } from "../../storage/engines/memcached/client.ts";
import { RedisEngine } from "../../storage/engines/redis/engine.ts";
import type { RedisSend } from "../../storage/engines/redis/client.ts";
import {
  CloudflareKVEngine,
  type KVNamespaceLike,
} from "../../storage/engines/cloudflare_kv.ts";
import {
  DurableObjectEngine,
  type DurableObjectNamespaceLike,
} from "../../storage/engines/durable_object/engine.ts";
import {
  type AsynchronousMemoryEngine,
  memoryEngine,
} from "../engines/_memory.ts";
import { Recent } from "./_recent.ts";

const clock = { kind: "virtual", advance() {} } as const;

/** For engines over a wire: a machine that is busy makes none of them broken. */
export const PATIENT = { deadline: 60 } as const;

/** What every engine behind the engine contract has that can compare and set. */
export const ENGINE: readonly Capability[] = [
  "revoke",
  "shared",
  "namespaces",
  "expiry",
  "touch",
  "absolute",
  "lifetime",
  "merge",
  "owners",
  "inspect",
  "faults",
];

/**
 * A target for an engine.
 *
 * @param connect Gives the engine of a namespace; called for each instance.
 * @param extra What it can do beyond {@linkcode ENGINE}.
 */
export function engineTarget(
  name: string,
  connect: (options: OpenOptions) => Engine | Promise<Engine>,
  extra: readonly Capability[] = [],
  limits: Target["limits"] = {},
): Target {
  const keys = new Map<string, Set<string>>();
  return {
    name,
    clock,
    limits: limits ?? {},
    capabilities: [...ENGINE, ...extra],
    async open({ namespace, maxAge, ...options }) {
      const known = keys.get(namespace) ?? new Set();
      keys.set(namespace, known);
      const connected = await connect({ namespace, ...options });
      const engine = instrument(connected, known);
      const storage = createSessionStorage({
        ...options,
        engine: engine.engine,
        engineTimeout: PATIENT.deadline,
        cookie: { name: "session", secrets: ["s3cr3t"], maxAge },
      });
      const close = () => storage.close?.();
      return { ...engine, storage, createSession, close };
    },
  };
}

/** A target that does not claim everything that its engine would have. */
export function without(
  target: Target,
  ...claims: readonly Capability[]
): Target {
  const capabilities = target.capabilities.filter((c) => !claims.includes(c));
  return { ...target, capabilities };
}

/** Memory: instances over one namespace share one engine. */
export function memoryTarget(): Target {
  const engines = new Recent<AsynchronousMemoryEngine>();
  return engineTarget("memory", ({ namespace, now }) => {
    const engine = engines.get(namespace) ??
      memoryEngine(1000, now, () => {});
    engines.set(namespace, engine);
    return engine;
  }, ["sweep"]);
}

/** Redis, by any client. */
export function redisTarget(name: string, send: RedisSend): Target {
  return engineTarget(
    name,
    ({ namespace, now }) => new RedisEngine(send, namespace, now),
    ["durable"],
  );
}

/** Durable Objects. */
export function durableObjectsTarget(
  name: string,
  objects: DurableObjectNamespaceLike,
): Target {
  return engineTarget(
    name,
    ({ namespace, now }) =>
      new DurableObjectEngine(partOf(objects, namespace), now),
    ["durable"],
    { recordBytes: 999_000 - 256 },
  );
}

/** A part of a namespace of Durable Objects: its objects have names of their own. */
export function partOf(
  objects: DurableObjectNamespaceLike,
  part: string,
): DurableObjectNamespaceLike {
  return {
    idFromName: (name) => objects.idFromName(`${part}:${name}`),
    get: (id) => objects.get(id),
  };
}

/** Memcached, by any client. */
export function memcachedTarget(name: string, client: MemcacheLike): Target {
  // A full Memcached drops live records, and so perhaps the list of an owner whose sessions live on.
  return without(
    engineTarget(
      name,
      ({ namespace, now }) => new MemcachedEngine(client, namespace, now),
      [],
      { recordBytes: 1024 * 1024 - 256 },
    ),
    "owners",
  );
}

/** Workers KV. */
export function workersKvTarget(name: string, kv: KVNamespaceLike): Target {
  const keys = new Map<string, Set<string>>();
  return {
    name,
    clock,
    // Not claimed, although one machine's KV would pass: `revoke` and `merge`, which do not hold between locations, as
    // the storage's guarantees say. Nor `touch`: a read never writes there.
    capabilities: [
      "shared",
      "durable",
      "namespaces",
      "expiry",
      "absolute",
      "lifetime",
      "inspect",
      "faults",
    ],
    open({ namespace, now, idleTimeout, absoluteTimeout, maxAge }) {
      const known = keys.get(namespace) ?? new Set();
      keys.set(namespace, known);
      const engine = instrument(
        new CloudflareKVEngine(kv, `${namespace}:`, now),
        known,
      );
      const storage = createSessionStorage({
        engine: engine.engine,
        now,
        engineTimeout: PATIENT.deadline,
        absoluteTimeout,
        // Without an idle timeout, a session's lifetime is its cookie's, from its last save.
        cookie: {
          name: "session",
          secrets: ["s3cr3t"],
          maxAge: idleTimeout ?? maxAge,
        },
      });
      return { ...engine, storage, createSession };
    },
  };
}

/** The cookie, sealed or only signed. */
export function cookieTarget(encrypt = true): Target {
  return {
    name: encrypt ? "cookie" : "cookie, signed",
    clock,
    limits: { recordBytes: 2800 },
    capabilities: [
      "selfContained",
      "shared",
      "durable",
      "namespaces",
      "expiry",
      "touch",
      "absolute",
      "lifetime",
    ],
    open: ({ namespace, maxAge, ...options }) => ({
      createSession,
      storage: createCookieSessionStorage({
        ...options,
        cookie: {
          name: namespace,
          secrets: ["s3cr3t", "older"],
          encrypt,
          maxAge,
        },
      }),
    }),
  };
}

/** Files below `root`, a folder for each namespace. */
export function fileTarget(root: string): Target {
  return engineTarget(
    "file",
    ({ namespace, now }) =>
      new FileEngine(`${root}/${namespace}`, now, (error) => {
        throw error;
      }),
    ["durable", "sweep"],
  );
}

/** A database behind the four functions. */
export function databaseTarget(): Target {
  type Row = { data: string; expires: number };
  const tables = new Recent<Map<string, Row>>();
  return {
    name: "four functions",
    clock,
    capabilities: [
      "revoke",
      "shared",
      "durable",
      "namespaces",
      "expiry",
      "touch",
      "absolute",
      "lifetime",
    ],
    open({ namespace, now, maxAge, ...timeouts }) {
      const table = tables.get(namespace) ?? new Map<string, Row>();
      tables.set(namespace, table);
      const write = (
        id: string,
        data: FlashSessionData<object, object>,
        expires?: Date,
      ) => {
        table.set(id, { data: JSON.stringify(data), expires: Number(expires) });
      };
      return {
        createSession,
        storage: createSessionStorage({
          ...timeouts,
          now,
          cookie: { name: "session", secrets: ["s3cr3t"], maxAge },
          async createData(data, expires) {
            const id = crypto.getRandomValues(new Uint8Array(24))
              .reduce(
                (hex, byte) => hex + byte.toString(16).padStart(2, "0"),
                "",
              );
            write(id, data, expires);
            return id;
          },
          async readData(id) {
            const row = table.get(id);
            return row && row.expires > now() ? JSON.parse(row.data) : null;
          },
          async updateData(id, data, expires) {
            // As an UPDATE does, which brings no row back.
            if (table.has(id)) write(id, data, expires);
          },
          async deleteData(id) {
            table.delete(id);
          },
        }),
      };
    },
  };
}
