import { edit, isSession, memory, type Mutant, mutant } from "./_mutant.ts";

const DAY = 24 * 60 * 60 * 1000;

export const expiry: readonly Mutant[] = [
  mutant("EXPIRY-01", {
    name: "in its last second, what was never used again reads as nothing",
    reason: "its data is changed",
    defect(at) {
      const unused = new Set<string>();
      return {
        engine: {
          write(key, text, options) {
            if (options.ifVersion === null) unused.add(key);
            else unused.delete(key);
            return at.engine.write(key, text, options);
          },
        },
        session(real) {
          const over = at.seen && unused.delete(at.seen.key) &&
            at.seen.expires - at.now() <= 1000;
          return { get: (key) => over ? undefined : real.get(key) };
        },
      };
    },
  }),
  mutant("EXPIRY-01", {
    name: "every deadline is a second early",
    reason: "the session expired before its deadline",
    also: {
      "EXPIRY-04": "it saves shortly before a deadline",
      "EXPIRY-05": "it reads shortly before a deadline",
      "EXPIRY-06": "it reads shortly before a deadline",
      "EXPIRY-10": "it reads shortly before a deadline",
      "OWNER-03": "it lists shortly before a deadline",
      "EXPIRY-13": "it reads shortly before a deadline",
      "SHARED-06": "it reads shortly before a deadline",
    },
    defect: ({ engine }) => ({
      engine: {
        write: (key, text, options) =>
          engine.write(key, text, {
            ...options,
            expires: options.expires - 1000,
          }),
        touch: (key, expires, options) =>
          engine.touch(key, expires - 1000, options),
      },
    }),
  }),
  mutant("EXPIRY-02", {
    name: "a session that is over leaves its id to the next",
    reason: "the id of the ended session is used again",
    defect: (at) => ({
      session(real, value) {
        const over = value !== null && at.seen && at.seen.expires <= at.now();
        return {
          get id() {
            return over ? value : real.id;
          },
        };
      },
    }),
  }),
  mutant("EXPIRY-02", {
    name: "a column keeps deadlines in whole minutes, rounded up",
    reason: "the session can be read after its deadline",
    also: {
      "EXPIRY-03": "it looks at the same instant",
      "EXPIRY-09": "it looks at the same instant",
      "OWNER-03": "it looks at the same instant",
      "EXPIRY-12": "it looks at the same instant",
    },
    defect: ({ engine }) => ({
      engine: {
        async read(key) {
          const record = await engine.read(key);
          if (!record) return null;
          const minutes = Math.floor(record.expires / 60_000) + 1;
          return { ...record, expires: minutes * 60_000 };
        },
      },
    }),
  }),
  mutant("EXPIRY-03", {
    name: "deadlines are known to the instance that wrote them",
    reason: "another instance reads the expired session",
    also: {
      "EXPIRY-12": "it opens a second instance",
    },
    defect({ engine }) {
      const mine = new Set<string>();
      return {
        engine: {
          async read(key) {
            const record = await engine.read(key);
            return !record || mine.has(key)
              ? record
              : { ...record, expires: 1e15 };
          },
          write(key, text, options) {
            mine.add(key);
            return engine.write(key, text, options);
          },
        },
      };
    },
  }),
  mutant("EXPIRY-04", {
    name: "a save never moves a deadline further away",
    reason: "saving a change did not move the deadline",
    also: {
      "EXPIRY-12": "it saves after a timeout was made longer",
    },
    defect: ({ engine }) => ({
      engine: {
        async write(key, text, options) {
          const { expires = Infinity } = await engine.read(key) ?? {};
          return await engine.write(key, text, {
            ...options,
            expires: Math.min(options.expires, expires),
          });
        },
      },
    }),
  }),
  mutant("EXPIRY-05", {
    name: "touch does nothing",
    reason: "reading did not move the deadline",
    also: {
      "SHARED-06": "one of its instances only reads",
    },
    defect: () => ({ engine: { touch: async () => true } }),
  }),
  mutant("EXPIRY-05", {
    name: "touch writes back what it reads",
    reason: "a request that only reads undid a change",
    defect: ({ engine }) => ({
      engine: {
        async touch(key, expires) {
          const record = await engine.read(key);
          for (let i = 0; i < 4; i++) await null;
          const version = record &&
            await engine.write(key, record.value, { expires });
          return version !== null;
        },
      },
    }),
  }),
  mutant("EXPIRY-06", {
    name: "a new id begins a new life",
    reason: "a new id moved the absolute deadline",
    defect: ({ engine, now, idleTimeout = 0 }) => ({
      engine: {
        write(key, text, options) {
          if (options.ifVersion !== null) {
            return engine.write(key, text, options);
          }
          const young = edit(text, (parts) => parts[2] = now());
          const expires = idleTimeout > 0
            ? Math.max(options.expires, now() + idleTimeout * 1000)
            : options.expires;
          return engine.write(key, young, { ...options, expires });
        },
      },
    }),
  }),
  mutant("EXPIRY-06", {
    name: "a commit's lifetime counts from its own beginning",
    reason: "a commit with maxAge moved the absolute deadline",
    defect({ engine, now }) {
      let given: number | undefined;
      return {
        engine: {
          write(key, text, options) {
            if (given === undefined) return engine.write(key, text, options);
            const young = edit(text, (parts) => parts[2] = now());
            const expires = Math.max(options.expires, now() + 600_000);
            return engine.write(key, young, { ...options, expires });
          },
        },
        session: () => ({
          async save(save, { maxAge } = {}) {
            given = maxAge !== undefined && maxAge > 600 ? maxAge : undefined;
            return await save().finally(() => given = undefined);
          },
        }),
      };
    },
  }),
  mutant("EXPIRY-07", {
    name: "a lifetime of 0 is none given",
    reason: "a session saved for 0 s does not expire",
    defect: () => ({
      session: () => ({
        save: (save, { maxAge } = {}) =>
          save({ maxAge: maxAge === 0 ? undefined : maxAge }),
      }),
    }),
  }),
  mutant("EXPIRY-07", {
    name: "a lifetime is rounded down, and 0 is none",
    reason: "a session saved for 0.001 s does not expire",
    defect: () => ({
      session: () => ({
        save: (save, { maxAge } = {}) =>
          save({
            maxAge: maxAge && maxAge > 0 && maxAge < 1 ? undefined : maxAge,
          }),
      }),
    }),
  }),
  mutant("EXPIRY-07", {
    name: "no number is a thousand years",
    reason: "a session saved for NaN s never expires",
    defect: () => ({
      session: () => ({
        save: (save, { maxAge } = {}) =>
          save({ maxAge: Number.isNaN(maxAge) ? 3e10 : maxAge }),
      }),
    }),
  }),
  mutant("EXPIRY-07", {
    name: "a storage that is opened for 0 seconds keeps its sessions for ever",
    reason: "with an idleTimeout of 0 s, a session never expires",
    target: endless(),
  }),
  mutant("EXPIRY-08", {
    name: "more than a year is a date in the past",
    reason: "a session of 400 days cannot be read after 0",
    defect: ({ engine, now }) => ({
      engine: {
        write(key, text, options) {
          const far = options.expires - now() > 365 * DAY;
          const expires = far && isSession(text) ? 1 : options.expires;
          return engine.write(key, text, { ...options, expires });
        },
      },
    }),
  }),
  mutant("EXPIRY-08", {
    name: "more than 30 days are a date in 1970",
    reason: "a session of 31 days cannot be read after 0",
    also: {
      "EXPIRY-10": "its live session has 100 days",
      "EXPIRY-11": "its long session has 100 days",
    },
    defect: ({ engine, now }) => ({
      engine: {
        write(key, text, options) {
          const far = options.expires - now() > 30 * DAY;
          const expires = far && isSession(text) ? 1 : options.expires;
          return engine.write(key, text, { ...options, expires });
        },
      },
    }),
  }),
  mutant("EXPIRY-09", {
    name: "a save after the deadline makes a new session of it",
    reason: "a late save that changed it restores the data",
    defect: (at) => ({
      session(real) {
        const { expires = Infinity } = at.seen ?? {};
        return {
          async save(save) {
            const changed = real.dirty && !real.destroyed;
            const { data } = real;
            const sent = await save();
            if (sent !== null || !changed || at.now() < expires) return sent;
            const session = await at.storage.read(null);
            for (const key of Object.keys(data)) session.set(key, data[key]);
            return await at.storage.save(session);
          },
        };
      },
    }),
  }),
  mutant("EXPIRY-10", {
    name: "sweep does nothing",
    reason: "a sweep does not remove an expired record",
    defect: () => ({ engine: { async sweep() {} } }),
  }),
  mutant("EXPIRY-10", {
    name: "sweep looks a second ahead",
    reason: "a sweep removes a session before its deadline",
    defect: ({ engine, now }) => ({
      engine: { sweep: () => engine.sweep(now() + 1000) },
    }),
  }),
  mutant("EXPIRY-10", {
    name: "sweep keeps what ends tomorrow, and nothing that ends later",
    reason: "a sweep removes a live session",
    defect: (at) => ({
      engine: {
        async sweep(now) {
          await at.engine.sweep(now);
          if (at.seen && at.seen.expires <= now) await at.engine.sweep(1e16);
        },
      },
    }),
  }),
  mutant("EXPIRY-11", {
    name: "the next save forgets a lifetime",
    reason: "a later save makes a long session short",
    defect: ({ engine }) => ({
      engine: {
        write(key, text, options) {
          const next = options.ifVersion !== null;
          const forgot = edit(text, (parts) => next && (parts[4] = null));
          return engine.write(key, forgot, options);
        },
      },
    }),
  }),
  mutant("EXPIRY-12", {
    name: "the longest timeout that a storage was ever opened with counts",
    reason: "with a shorter idleTimeout, an old session lives on",
    target: deployed(Math.max),
  }),
  mutant("EXPIRY-12", {
    name: "the shortest timeout that a storage was ever opened with counts",
    reason:
      "with a longer idleTimeout, a session that was saved again ended too early",
    target: deployed(Math.min),
  }),
  mutant("EXPIRY-13", {
    name: "a read counts the idle timeout from now, by whatever clock",
    reason:
      "a request that reads, by a clock that is behind, ended the session",
    defect: (at) => ({
      storage: {
        async read(value) {
          const session = await at.storage.read(value);
          const { seen, idleTimeout } = at;
          if (seen && idleTimeout && session.id === value) {
            const expires = at.now() + idleTimeout * 1000;
            await at.engine.touch(seen.key, expires);
          }
          return session;
        },
      },
    }),
  }),
  mutant("EXPIRY-13", {
    name: "a save counts the idle timeout from now, by whatever clock",
    reason:
      "a request that saves, by a clock that is behind, ended the session",
    defect: ({ engine, now, idleTimeout }) => ({
      engine: {
        write(key, text, options) {
          const ends = now() + (idleTimeout ?? Infinity) * 1000;
          const expires = isSession(text)
            ? Math.min(options.expires, ends)
            : options.expires;
          return engine.write(key, text, { ...options, expires });
        },
      },
    }),
  }),
];

/** The storage in memory; where it is to last no time at all, none passes for it. */
function endless(): Mutant["target"] {
  const target = memory("endless", () => ({}));
  return {
    ...target,
    open({ idleTimeout, ...options }) {
      if (idleTimeout !== 0) {
        return target.open({
          ...options,
          ...idleTimeout === undefined ? {} : { idleTimeout },
        });
      }
      const now = options.now();
      return target.open({ ...options, now: () => now });
    },
  };
}

/** The storage in memory, whose timeouts are chosen from all that a namespace was opened with. */
function deployed(choose: (a: number, b: number) => number): Mutant["target"] {
  const target = memory("deployed", () => ({}));
  const before = new Map<string, number>();
  return {
    ...target,
    open(options) {
      const chosen = { ...options };
      for (const name of ["idleTimeout", "absoluteTimeout"] as const) {
        const seconds = options[name];
        if (seconds === undefined) continue;
        const key = options.namespace + name;
        chosen[name] = choose(before.get(key) ?? seconds, seconds);
        before.set(key, chosen[name]);
      }
      return target.open(chosen);
    },
  };
}
