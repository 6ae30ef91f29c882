import { createSession, createSessionStorage } from "../../../mod.ts";
import type { Target } from "../../../conformance/mod.ts";
import { type Mutant, mutant } from "./_mutant.ts";
import { Recent } from "../_recent.ts";

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

export const lifetime: readonly Mutant[] = [
  mutant("EXPIRY-14", {
    name: "the column is a DATE, without a time",
    reason: "with a maxAge of 600 s, the session expired before that",
    also: {
      "EXPIRY-16": "it reads shortly before a deadline",
      "EXPIRY-17": "it reads shortly before a deadline",
    },
    target: table({ stored: (ms) => Math.floor(ms / DAY) * DAY }),
  }),
  mutant("EXPIRY-14", {
    name: "expires is kept in local time, west of Greenwich",
    reason: "with a maxAge of 600 s, the session expired before that",
    also: {
      "EXPIRY-16": "it reads shortly before a deadline",
      "EXPIRY-17": "it reads shortly before a deadline",
    },
    target: table({ stored: (ms) => ms - 5 * HOUR }),
  }),
  mutant("EXPIRY-14", {
    name: "a TTL in milliseconds is taken for one of 32 bits",
    reason: "with a maxAge of 2592000 s, the session expired before that",
    target: table({
      // As a timer does, which then ends after a millisecond.
      stored: (ms, now) => ms - now > 0x7fffffff ? now + 1 : ms,
    }),
  }),
  mutant("EXPIRY-15", {
    name: "expires is ignored",
    reason: "with a maxAge of 600 s, the session can be read after that",
    also: {
      "EXPIRY-16": "it looks after a deadline",
      "EXPIRY-17": "it looks after a deadline",
    },
    target: table({ stored: () => Infinity }),
  }),
  mutant("EXPIRY-15", {
    name: "expires is kept in local time, east of Greenwich",
    reason: "with a maxAge of 600 s, the session can be read after that",
    also: {
      "EXPIRY-16": "it looks after a deadline",
      "EXPIRY-17": "it looks after a deadline",
    },
    target: table({ stored: (ms) => ms + 2 * HOUR }),
  }),
  mutant("EXPIRY-15", {
    name: "milliseconds are compared with a clock in seconds",
    reason: "with a maxAge of 600 s, the session can be read after that",
    also: {
      "EXPIRY-16": "it looks after a deadline",
      "EXPIRY-17": "it looks after a deadline",
    },
    target: table({ stored: (ms) => ms * 1000 }),
  }),
  mutant("EXPIRY-15", {
    name: "an update without a TTL makes a record permanent",
    reason: "a session that was saved again can be read after that",
    also: { "EXPIRY-16": "it looks after a deadline" },
    target: table({ updated: () => Infinity }),
  }),
  mutant("EXPIRY-16", {
    name: "expires is set by the INSERT, and the UPDATE keeps it",
    reason: "a save did not move the deadline",
    target: table({ updated: (_, before) => before }),
  }),
  mutant("EXPIRY-16", {
    name: "an update adds its TTL to the one before",
    reason: "after several saves, the session can be read after its deadline",
    also: { "EXPIRY-15": "it saves again" },
    target: table({ updated: (ms, before, now) => before + (ms - now) }),
  }),
  mutant("EXPIRY-17", {
    name: "seconds are kept in a signed INT",
    reason: "after 2038, a session cannot be read before its deadline",
    // As MySQL does without its strict mode.
    target: table({
      stored: (ms) => Math.min(ms / 1000, 2 ** 31 - 1) * 1000,
    }),
  }),
];

interface Row {
  data: string;
  expires: number;
}

interface TableDefect {
  /** The deadline that a column holds, for the right one. */
  stored?(ms: number, now: number): number;
  /** The deadline that an UPDATE leaves. */
  updated?(ms: number, before: number, now: number): number;
}

/** A table behind the four functions, whose column for the deadline is wrong. */
function table(
  {
    stored = (ms) => ms,
    updated = (ms, _, now) => stored(ms, now),
  }: TableDefect,
): Target {
  const tables = new Recent<Map<string, Row>>();
  return {
    name: "a table",
    clock: { kind: "virtual", advance() {} },
    capabilities: ["revoke", "shared", "durable", "namespaces", "lifetime"],
    open({ namespace, now, maxAge }) {
      const rows = tables.get(namespace) ?? new Map<string, Row>();
      tables.set(namespace, rows);
      return {
        createSession,
        storage: createSessionStorage({
          now,
          cookie: { name: "session", secrets: ["s3cr3t"], maxAge },
          async createData(data, expires) {
            const id = crypto.getRandomValues(new Uint8Array(24)).toHex();
            rows.set(id, {
              data: JSON.stringify(data),
              expires: stored(Number(expires), now()),
            });
            return id;
          },
          async readData(id) {
            const row = rows.get(id);
            if (!row || row.expires <= now()) return null;
            return JSON.parse(row.data);
          },
          async updateData(id, data, expires) {
            const row = rows.get(id);
            if (!row) return;
            row.data = JSON.stringify(data);
            row.expires = updated(Number(expires), row.expires, now());
          },
          async deleteData(id) {
            rows.delete(id);
          },
        }),
      };
    },
  };
}
