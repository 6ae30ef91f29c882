/**
 * Storages whose cookies are unlike ours, and right.
 */
import {
  createCookie,
  createSession,
  createSessionStorage,
  type SessionCookieOptions,
  type SessionStorage,
} from "../../../mod.ts";
import type { Opened, OpenOptions, Target } from "../../../conformance/mod.ts";
import {
  type AsynchronousMemoryEngine,
  memoryEngine,
} from "../../engines/_memory.ts";
import { Recent } from "../_recent.ts";

const clock = { kind: "virtual", advance() {} } as const;

/** The storages, by what is special about their cookies. */
export const oddCookies: readonly Target[] = [
  cookieTarget("a cookie for a domain and a path", {
    name: "s",
    domain: "example.com",
    path: "/shop",
    secure: true,
    sameSite: "strict",
  }),
  cookieTarget("a cookie __Host- for other sites", {
    name: "__Host-s",
    secure: true,
    sameSite: "none",
    partitioned: true,
  }),
  cookieTarget("a cookie whose name is one letter in capitals", { name: "S" }),
  cookieTarget("a cookie that has Expires and no Max-Age", {}, (
    { now },
    storage,
  ) => ({
    getSession: (header) => storage.getSession(header),
    async commitSession(session, options) {
      const header = await storage.commitSession(session, options);
      return header.replace(
        /Max-Age=([1-9]\d*)/,
        (_, seconds) =>
          `expires=${new Date(now() + seconds * 1000).toUTCString()}`,
      );
    },
    destroySession: async (session) =>
      (await storage.destroySession(session))
        .replace(/(?:Max-Age|Expires)=[^;]*/, "Max-Age=-1"),
  })),
  slidingTable(),
];

/** Memory with a cookie. */
function cookieTarget(
  name: string,
  cookie: SessionCookieOptions,
  around: (
    options: OpenOptions,
    storage: SessionStorage,
  ) => Opened["storage"] = (_, storage) => storage,
): Target {
  const engines = new Recent<AsynchronousMemoryEngine>();
  return {
    name,
    clock,
    capabilities: [
      "revoke",
      "shared",
      "expiry",
      "touch",
      "absolute",
      "lifetime",
      "merge",
    ],
    open(options) {
      const { namespace, maxAge, owner: _, ...timeouts } = options;
      const engine = engines.get(namespace) ??
        memoryEngine(1000, options.now, () => {});
      engines.set(namespace, engine);
      const storage = createSessionStorage({
        ...timeouts,
        engine,
        cookie: { secrets: ["s3cr3t"], ...cookie, maxAge },
      });
      const { name = "__session", ...attributes } = {
        secrets: ["s3cr3t"],
        ...cookie,
      };
      return {
        storage: around(options, storage),
        createSession,
        async cookieFor(id) {
          const header = await createCookie(name, attributes).serialize(id);
          return header.split(";", 1)[0] ?? "";
        },
      };
    },
  };
}

/** A table where each read moves a row's deadline, too. */
function slidingTable(): Target {
  type Row = { data: string; expires: number; span: number };
  const tables = new Recent<Map<string, Row>>();
  return {
    name: "a table whose reads move the deadline",
    clock,
    capabilities: ["revoke", "shared", "durable", "namespaces", "lifetime"],
    open({ namespace, now, maxAge }) {
      const rows = tables.get(namespace) ?? new Map<string, Row>();
      tables.set(namespace, rows);
      const write = (id: string, data: object, expires: Date) => {
        const span = expires.getTime() - now();
        rows.set(id, {
          data: JSON.stringify(data),
          expires: now() + span,
          span,
        });
      };
      const storage = createSessionStorage({
        now,
        cookie: { name: "session", secrets: ["s3cr3t"], maxAge },
        async createData(data, expires) {
          const id = crypto.getRandomValues(new Uint8Array(24)).toHex();
          write(id, data, expires);
          return id;
        },
        async readData(id) {
          const row = rows.get(id);
          if (!row || row.expires <= now()) return null;
          row.expires = now() + row.span;
          return JSON.parse(row.data);
        },
        async updateData(id, data, expires) {
          if (rows.has(id)) write(id, data, expires);
        },
        async deleteData(id) {
          rows.delete(id);
        },
      });
      return { storage, createSession };
    },
  };
}
