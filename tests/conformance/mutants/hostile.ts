import { createCookieSessionStorage, createSession } from "../../../mod.ts";
import { cookieTarget } from "../targets.ts";
import { hashOwner } from "../../../core/keys.ts";
import { edit, isSession, type Mutant, mutant } from "./_mutant.ts";

export const hostile: readonly Mutant[] = [
  mutant("HOSTILE-01", {
    name: "a cookie is decoded without a care",
    reason: "reading a session rejected: URIError",
    also: {
      "ISO-05": "it sends ids that cannot be decoded, too",
    },
    defect: (at) => ({
      storage: {
        async read(value) {
          if (value) decodeURIComponent(value);
          return await at.storage.read(value);
        },
      },
    }),
  }),
  mutant("HOSTILE-01", {
    name: "an unknown id is stored",
    reason: "reading a cookie left a record",
    also: {
      "CONC-10": "a replaced id is stored anew",
    },
    defect: (at) => ({
      storage: {
        async read(value) {
          const session = await at.storage.read(value);
          const { engine, now } = at;
          if (value !== null && session.id !== value) {
            await engine.write("unknown", "[]", { expires: now() + 1000 });
          }
          return session;
        },
      },
    }),
  }),
  mutant("HOSTILE-01", {
    name: "an id of 43 letters is taken over",
    reason: "the id in the cookie is adopted",
    defect: (at) => ({
      storage: {
        async read(value) {
          return value?.match(/^[A-Z]{43}$/)
            ? createSession({}, value)
            : await at.storage.read(value);
        },
      },
    }),
  }),
  mutant("HOSTILE-02", {
    name: "two dots lead to the folder of another namespace",
    reason: "a cookie reads another namespace",
    defect: (() => {
      const reads = new Map<string, (id: string) => Promise<unknown>>();
      return (at) => {
        reads.set(at.namespace, (id) => at.storage.read(id));
        return {
          storage: {
            async read(value) {
              const [, folder = "", id = ""] =
                value?.match(/^\.\.\/(\w+)\/([\w-]+)$/) ?? [];
              return await (reads.get(folder)?.(id) ?? at.storage.read(value));
            },
          },
        };
      };
    })(),
  }),
  mutant("HOSTILE-03", {
    name: "has asks with in",
    reason: "a new session has __proto__",
    defect: () => ({
      session: (real) => ({ has: (key) => key in {} || real.has(key) }),
    }),
  }),
  mutant("HOSTILE-03", {
    name: "a session keeps its cookie under cookie",
    reason: "cookie is lost",
    also: {
      "SERIAL-02": "cookie is one of its keys",
    },
    defect: () => ({
      session: (real) => ({
        set: (key, value) => key === "cookie" || real.set(key, value),
      }),
    }),
  }),
  mutant("HOSTILE-04", {
    name: "a record that is no JSON is a failure of the engine",
    reason: "reading a session rejected",
    defect: ({ engine }) => ({
      engine: {
        async read(key) {
          const record = await engine.read(key);
          try {
            JSON.parse(record?.value.replace(/^>/, "") ?? "null");
          } catch {
            throw new Error("the record is damaged");
          }
          return record;
        },
      },
    }),
  }),
  mutant("HOSTILE-04", {
    name: "a record is taken for that of whoever finds it",
    reason: "a damaged or swapped record reads a session",
    defect: ({ engine }) => ({
      engine: {
        async read(key) {
          const record = await engine.read(key);
          if (!record?.value.startsWith('[2,"')) return record;
          const check = key.slice(0, 8);
          const value = record.value.replace(/"[^"]*"/, `"${check}"`);
          return { ...record, value };
        },
      },
    }),
  }),
  mutant("HOSTILE-05", {
    name: "the last letter of the seal is not compared",
    reason: "a cookie that was flipped in a bit returns data",
    target: unsealed(),
  }),
  mutant("HOSTILE-05", {
    name: "an empty key reads, too",
    reason: "a cookie that was made with another key returns data",
    // Nothing binds a cookie of that format to a name.
    without: ["namespaces"],
    target: emptyKey(),
  }),
  mutant("HOSTILE-06", {
    name: "what is too large is dropped",
    reason: "saving a record far beyond the limit resolves",
    also: {
      "SIZE-01": "it saves what is too large, too",
      "SIZE-02": "it saves what is too large, too",
      "SIZE-03": "it saves what is too large, too",
      "SIZE-04": "it saves what is too large, too",
    },
    limits: { recordBytes: 8_000 },
    defect: (at) => ({
      engine: { guarantees: { ...at.engine.guarantees, maxBytes: 9_000 } },
      session: () => ({
        save: (save) =>
          save().catch((error) => {
            if (error.code === "too-large") return null;
            throw error;
          }),
      }),
    }),
  }),
  mutant("HOSTILE-06", {
    name: "what is a little too large is cut off",
    reason: "a record just over the limit is saved in part",
    also: {
      "SIZE-01": "it saves what is too large, too",
    },
    limits: { recordBytes: 8_000 },
    defect: (at) => ({
      engine: { guarantees: { ...at.engine.guarantees, maxBytes: 9_000 } },
      session: (real) => ({
        set(key, value) {
          const long = typeof value === "string" && value.length < 9_000;
          real.set(key, long ? value.slice(0, 8_000) : value);
        },
      }),
    }),
  }),
  mutant("HOSTILE-06", {
    name: "an error says in words alone that a record is too large",
    reason:
      "it rejects with a plain Error that has no code or class of its own",
    limits: { recordBytes: 8_000 },
    defect: (at) => ({
      engine: { guarantees: { ...at.engine.guarantees, maxBytes: 9_000 } },
      session: () => ({
        save: (save) =>
          save().catch((error) => {
            throw error.code === "too-large" ? new Error("too large") : error;
          }),
      }),
    }),
  }),
  mutant("HOSTILE-06", {
    name: "it holds half of what it declares",
    reason: "save by A1 rejected",
    limits: { recordBytes: 16_000 },
    defect: (at) => ({
      engine: { guarantees: { ...at.engine.guarantees, maxBytes: 8_000 } },
    }),
  }),
  mutant("HOSTILE-07", {
    name: "an error names the session",
    reason: "contains an id",
    defect: () => ({
      session: (real) => ({
        save: (save) =>
          save().catch((cause) => {
            throw new Error(`cannot save session ${real.id}`, { cause });
          }),
      }),
    }),
  }),
  mutant("HOSTILE-07", {
    name: "the log names the session",
    reason: "a log line contains an id",
    defect: () => ({
      session: (real) => ({
        async save(save) {
          const sent = await save();
          // deno-lint-ignore no-console -- that is what is wrong with it
          console.debug("saved session", real.id);
          return sent;
        },
      }),
    }),
  }),
  mutant("HOSTILE-08", {
    name: "the values of a record are not checked",
    reason: "reading a session rejected",
    also: { "HOSTILE-04": "it edits records by chance" },
    defect: ({ engine }) => ({
      engine: {
        async read(key) {
          const record = await engine.read(key);
          edit(record?.value ?? "", (parts) => Object.keys(parts[7]));
          return record;
        },
      },
    }),
  }),
  mutant("HOSTILE-08", {
    name: "a list of an owner's sessions is an array of arrays",
    reason: "rejects with an error without a code or class of its own",
    defect: (at) => ({
      storage: {
        async listSessions(name, options) {
          const list = await at.engine.read(hashOwner(name));
          for (const [key] of JSON.parse(list?.value ?? "[0, 0, []]")[2]) {
            if (key === "") return [];
          }
          return await at.storage.listSessions(name, options);
        },
      },
    }),
  }),
  mutant("HOSTILE-09", {
    name: "a new session's record replaces whatever has its id",
    reason: "a session with the same id changes the stored one",
    defect: ({ engine }) => ({
      engine: {
        write(key, text, { ifVersion, ...options }) {
          const anyway = ifVersion === null && isSession(text);
          return engine.write(
            key,
            text,
            anyway ? options : { ...options, ifVersion },
          );
        },
      },
    }),
  }),
];

/** The storage in a cookie, with its seal one letter short. */
function unsealed(): Mutant["target"] {
  return {
    ...cookieTarget(),
    open({ namespace, maxAge, ...options }) {
      const storage = createCookieSessionStorage({
        ...options,
        cookie: { name: namespace, secrets: ["s3cr3t"], maxAge },
      });
      const short = new Map<string, string>();
      return {
        storage: {
          ...storage,
          getSession: (header) =>
            storage.getSession(short.get(header?.slice(0, -1) ?? "") ?? header),
          async commitSession(session, options) {
            const header = await storage.commitSession(session, options);
            const [pair = ""] = header.split(";");
            if (pair) short.set(pair.slice(0, -1), pair);
            return header;
          },
        },
      };
    },
  };
}

/** The storage in a cookie of another library's format, with a second key that everybody knows. */
function emptyKey(): Mutant["target"] {
  return {
    ...cookieTarget(false),
    open: ({ namespace, maxAge, ...options }) => ({
      storage: createCookieSessionStorage({
        ...options,
        cookie: {
          name: namespace,
          secrets: ["s3cr3t", "\0"],
          encrypt: false,
          format: "remix",
          maxAge,
        },
      }),
    }),
  };
}
