import type { Session } from "../../../mod.ts";
import { looseIds } from "./loose_ids.ts";
import { type Bench, type Mutant, mutant, type Real } from "./_mutant.ts";

export const isolation: readonly Mutant[] = [
  mutant("ISO-01", {
    name: "what was saved is written before the next read",
    reason: "a change after the save is stored",
    also: { "OWNER-08": "a login that was ended is saved again" },
    defect(at) {
      let saved: Session | undefined;
      return {
        storage: {
          async read(value) {
            if (saved && !saved.destroyed) await at.storage.save(saved);
            saved = undefined;
            return await at.storage.read(value);
          },
          async save(session, options) {
            const sent = await at.storage.save(session, options);
            saved = session;
            return sent;
          },
        },
      };
    },
  }),
  mutant("ISO-02", {
    name: "reads share their objects",
    reason:
      "a request reads a value that another request changed and did not save",
    defect() {
      const objects = new Map<string, unknown>();
      return {
        session: (real) => ({
          get(key) {
            const value = real.get(key);
            if (typeof value !== "object" || value === null) return value;
            const name = real.id + key + JSON.stringify(value);
            const first = objects.get(name) ?? value;
            objects.set(name, first);
            return first;
          },
        }),
      };
    },
  }),
  mutant("ISO-03", {
    name: "a set goes to the session that was read last",
    reason: "does not read the data of their own session",
    also: { "CONC-05": "its visitors' requests overlap too" },
    defect() {
      let last: Real;
      return {
        session(real) {
          last = real;
          return {
            set: (key, value) =>
              (last.id === real.id ? real : last).set(key, value),
          };
        },
      };
    },
  }),
  mutant("ISO-04", {
    name: "nothing stands between a namespace and an id",
    reason: "a cookie can be read in another namespace",
    defect: sharing((namespace, id) => namespace + id),
  }),
  mutant("ISO-04", {
    name: "namespaces are ignored",
    reason: "a cookie can be read in another namespace",
    also: { "HOSTILE-02": "the plainest way into another namespace" },
    defect: sharing((_, id) => id),
  }),
  ...looseIds,
  mutant("ISO-06", {
    name: "a second close throws",
    reason: "close() rejected: Error: closed already",
    defect() {
      let closed = false;
      return {
        storage: {
          async close() {
            if (closed) throw new Error("closed already");
            closed = true;
          },
        },
      };
    },
  }),
  mutant("ISO-06", {
    name: "close leaves the timer of its sweep running",
    reason: "each storage leaves a timer running",
    defect() {
      const timer = setInterval(() => clearInterval(timer), BRIEFLY);
      return { storage: { async close() {} } };
    },
  }),
  mutant("ISO-06", {
    name: "the first session begins a sweep that nothing ends",
    reason: "each storage leaves a timer running",
    defect() {
      let timer: ReturnType<typeof setInterval> | undefined;
      return {
        session(real) {
          timer ??= setInterval(() => clearInterval(timer), BRIEFLY);
          return { has: (key) => real.has(key) };
        },
      };
    },
  }),
  mutant("ISO-06", {
    name: "close forgets the timeout that it was to clear",
    reason: "each storage leaves a timer running",
    defect() {
      setTimeout(() => {}, BRIEFLY);
      return { storage: { async close() {} } };
    },
  }),
];

/** How long a timer lasts that is left behind, in milliseconds: until the rule has looked, and not for good. */
const BRIEFLY = 1000;

/** All namespaces share one list of ids, by a name that is made of both. */
function sharing(
  nameOf: (namespace: string, id: string) => string,
): NonNullable<Parameters<typeof mutant>[1]["defect"]> {
  const found = new Map<string, { at: Bench; id: string }>();
  return (at) => ({
    storage: {
      async read(value) {
        const other = found.get(nameOf(at.namespace, value ?? ""));
        return other && other.at.namespace !== at.namespace
          ? await other.at.storage.read(other.id)
          : await at.storage.read(value);
      },
      async save(session, options) {
        const id = await at.storage.save(session, options);
        if (id) found.set(nameOf(at.namespace, id), { at, id });
        return id;
      },
    },
  });
}
