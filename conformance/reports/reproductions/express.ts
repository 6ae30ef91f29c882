/**
 * Reproductions for stores of express-session and @fastify/session: a few calls of the store for each rule that it breaks,
 * in the order in which the middleware makes them.
 *
 * `deno run -A conformance/reports/reproductions/express.ts [memory | connect-redis | …] [rule]`
 */
import fastifySession from "npm:@fastify/session@11.1.3";
import { RedisStore } from "npm:connect-redis@10.0.0";
import connectPgSimple from "npm:connect-pg-simple@10.0.0";
import session from "npm:express-session@1.19.0";
import createMemoryStore from "npm:memorystore@1.6.8";
import createFileStore from "npm:session-file-store@1.5.0";
import { damageFile, folder, postgres, redis } from "./engines.ts";
import { shows, type Store } from "./shared/express_store.ts";
import { expressSite, fastifySite } from "./shared/express_site.ts";
import { type Reproduction, run, shared } from "./run.ts";

// deno-lint-ignore no-explicit-any -- their types are those of another major version
const [PgStore, MemoryStore, FileStore]: any[] = [
  // deno-lint-ignore no-explicit-any -- as above
  connectPgSimple(session as any),
  // deno-lint-ignore no-explicit-any -- as above
  createMemoryStore(session as any),
  // deno-lint-ignore no-explicit-any -- as above
  createFileStore(session as any),
];

// It assigns to __proto__, which Deno does not allow.
Object.setPrototypeOf(FileStore.prototype, session.Store.prototype);

/** A store behind express-session. */
function behindExpress(
  store: Store["store"],
  hooks: Partial<Store> = {},
): Store {
  return { store, site: (options) => expressSite(store, options), ...hooks };
}

/** The stores. */
export const storages: Readonly<Record<string, () => Promise<Store>>> = {
  memory: async () => behindExpress(new session.MemoryStore()),
  "connect-redis": async () => {
    const { client, prefix, ...hooks } = await redis();
    return behindExpress(new RedisStore({ client, prefix }), hooks);
  },
  "connect-pg-simple": async () => {
    const pool = await postgres();
    return behindExpress(new PgStore({ pool, createTableIfMissing: true }));
  },
  memorystore: async () => behindExpress(new MemoryStore()),
  "session-file-store": async () =>
    behindExpress(
      new FileStore({ path: folder, retries: 0, reapInterval: -1 }),
      { damage: (sid) => damageFile(`${sid}.json`) },
    ),
  fastify: async () => {
    const store = new fastifySession.MemoryStore();
    return { store, site: (options) => fastifySite(store, options) };
  },
};

/** The reproductions, by rule. */
export const reproductions: Readonly<Record<string, Reproduction<Store>>> =
  shared(shows, {
    "FLASH-10": [
      "memory",
      "connect-redis",
      "connect-pg-simple",
      "memorystore",
      "session-file-store",
      "fastify",
    ],
    "EXPIRY-07": ["memory", "memorystore", "session-file-store", "fastify"],
    "EXPIRY-09": [
      "memory",
      "connect-redis",
      "connect-pg-simple",
      "memorystore",
      "session-file-store",
      "fastify",
    ],
    "EXPIRY-12": ["connect-redis", "connect-pg-simple", "session-file-store"],
    "ISO-01": ["fastify"],
    "ISO-02": ["fastify"],
    "CONC-01": [
      "memory",
      "connect-redis",
      "connect-pg-simple",
      "memorystore",
      "session-file-store",
      "fastify",
    ],
    "CONC-02": [
      "memory",
      "connect-redis",
      "connect-pg-simple",
      "memorystore",
      "session-file-store",
      "fastify",
    ],
    "CONC-09": [
      "memory",
      "connect-redis",
      "connect-pg-simple",
      "memorystore",
      "session-file-store",
      "fastify",
    ],
    "HOSTILE-04": ["connect-redis", "session-file-store"],
    "SERIAL-03": [
      "memory",
      "connect-redis",
      "connect-pg-simple",
      "memorystore",
      "session-file-store",
    ],
    "SERIAL-04": [
      "memory",
      "connect-redis",
      "connect-pg-simple",
      "memorystore",
      "session-file-store",
    ],
    "MODEL-02": [
      "memory",
      "connect-redis",
      "connect-pg-simple",
      "memorystore",
      "session-file-store",
      "fastify",
    ],
  });

if (import.meta.main) await run(storages, reproductions);
