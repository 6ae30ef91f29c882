/**
 * Storages that are right, and keep their records in another form than ours.
 */
import * as v8 from "node:v8";
import { gunzipSync, gzipSync } from "node:zlib";
import { parse, stringify } from "npm:devalue@5.9.4";
import type { EngineRecord } from "../../../mod.ts";
import type { Target } from "../../../conformance/mod.ts";
import { edit, memory } from "../mutants/_mutant.ts";
import { asText, odd, type Plain, underKey, versioned } from "./_build.ts";
import { Recent } from "../_recent.ts";

/** Storages whose records, keys or versions look otherwise. */
export const encodings: readonly Target[] = [
  memory("keys of a record in alphabetical order", ({ engine }) => ({
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
  })),
  odd("base64 with a salt, each time otherwise", {
    engine: (memory) => asText(memory, salted, unsalted),
  }),
  odd("records in gzip", {
    engine: (memory) =>
      asText(
        memory,
        (text) => toBase64(gzipSync(text)),
        (code) => gunzipSync(fromBase64(code)).toString(),
      ),
  }),
  odd("records by devalue, with their deadline as a Date", {
    engine: (memory) => ({
      ...memory,
      async read(key) {
        const record = await memory.read(key);
        return record && { ...record, value: parse(record.value).value };
      },
      write: (key, value, options) =>
        memory.write(
          key,
          stringify({ value, expires: new Date(options.expires) }),
          options,
        ),
    }),
  }),
  odd("records by V8's serializer", {
    engine: (memory) =>
      asText(
        memory,
        (value) => toBase64(v8.serialize(new Map([["value", value]]))),
        (code) => v8.deserialize(fromBase64(code)).get("value"),
      ),
  }),
  odd("records as CBOR", {
    engine: (memory) =>
      asText(
        memory,
        (text) => toBase64(cborOf(text)),
        (code) => textOf(fromBase64(code)),
      ),
  }),
  encrypted(),
  odd("records filled up to whole kilobytes", {
    engine: (memory) =>
      asText(
        memory,
        (text) => text.padEnd(Math.ceil(text.length / 1024) * 1024),
        (text) => text.trimEnd(),
      ),
  }),
  odd("keys hashed again, as upper-case hex", {
    engine: (memory) =>
      underKey(memory, async (key) => {
        const bytes = new TextEncoder().encode(key);
        const hash = await crypto.subtle.digest("SHA-256", bytes);
        return new Uint8Array(hash).toHex().toUpperCase();
      }),
  }),
  odd("keys with a prefix, as paths", {
    engine: (memory) =>
      underKey(memory, (key) => `app:live/${key.slice(0, 2)}/${key}`),
  }),
  odd("versions that are objects", {
    engine: (memory) => versioned(memory, (n) => ({ n }), ({ n }) => n),
  }),
  odd("versions that are ETags", {
    engine: (memory) =>
      versioned(memory, (n) => `W/"${n}"`, (tag) => Number(tag.slice(3, -1))),
  }),
  odd("versions that are BIGINTs", {
    engine: (memory) =>
      versioned(memory, (n) => BigInt(n as number), (big) => Number(big)),
  }),
  odd("records in several rows", { engine: split }),
  log(),
];

/** AES-GCM, with the key of the record as its context. */
function encrypted(): Target {
  const secret = crypto.subtle.generateKey(
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  const way = (key: string, iv: Uint8Array<ArrayBuffer>) => ({
    name: "AES-GCM",
    iv,
    additionalData: new TextEncoder().encode(key),
  });
  return odd("records encrypted in the database", {
    engine: (memory) =>
      asText(memory, async (text, key) => {
        const iv = crypto.getRandomValues(new Uint8Array(12));
        const sealed = await crypto.subtle.encrypt(
          way(key, iv),
          await secret,
          new TextEncoder().encode(text),
        );
        return toBase64(new Uint8Array([...iv, ...new Uint8Array(sealed)]));
      }, async (code, key) => {
        const bytes = fromBase64(code);
        const opened = await crypto.subtle.decrypt(
          way(key, bytes.slice(0, 12)),
          await secret,
          bytes.slice(12),
        );
        return new TextDecoder().decode(opened);
      }),
  });
}

/** Cuts each text into pieces of 100 characters, which are written in one transaction. */
function split(memory: Plain): Plain {
  return asText(
    memory,
    (text) =>
      JSON.stringify(
        Array.from(
          { length: Math.ceil(text.length / 100) },
          (_, i) => text.slice(i * 100, i * 100 + 100),
        ),
      ),
    (rows) => (JSON.parse(rows) as string[]).join(""),
  );
}

/** Writes, moved deadlines and deletions are added to a log, and the last entry counts. */
function log(): Target {
  type Entry = { key: string; record: EngineRecord | null };
  const logs = new Recent<Entry[]>();
  return odd("a log that only grows", {
    engine({ guarantees }, { namespace }) {
      const entries = logs.get(namespace) ?? [];
      logs.set(namespace, entries);
      const last = (key: string) =>
        entries.findLast((entry) => entry.key === key)?.record ?? null;
      const holds = (key: string, ifVersion: unknown) =>
        ifVersion === undefined || ifVersion === (last(key)?.version ?? null);
      return {
        guarantees,
        read: async (key) => last(key),
        async write(key, value, { expires, ifVersion }) {
          if (!holds(key, ifVersion)) return null;
          const version = entries.length + 1;
          entries.push({ key, record: { value, expires, version } });
          return version;
        },
        async delete(key, { ifVersion } = {}) {
          if (!holds(key, ifVersion)) return false;
          entries.push({ key, record: null });
          return true;
        },
        async touch(key, expires, { ifVersion } = {}) {
          const record = last(key);
          if (!record || !holds(key, ifVersion)) return false;
          entries.push({ key, record: { ...record, expires } });
          return true;
        },
        async sweep(now) {
          const keys = new Set(entries.map(({ key }) => key));
          for (const key of keys) {
            const record = last(key);
            if (record && record.expires <= now) {
              entries.push({ key, record: null });
            }
          }
        },
      };
    },
  });
}

function inOrder(entries: object): object {
  const sorted = Object.entries(entries).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(sorted);
}

/** Base64 of bytes that are changed by a random one. */
function salted(text: string): string {
  const salt = Math.floor(Math.random() * 256);
  const bytes = new TextEncoder().encode(text + " ".repeat(salt % 3));
  return toBase64(Uint8Array.from([salt, ...bytes.map((byte) => byte ^ salt)]));
}

function unsalted(code: string): string {
  const [salt = 0, ...bytes] = fromBase64(code);
  return new TextDecoder().decode(
    Uint8Array.from(bytes, (byte) => byte ^ salt),
  ).trimEnd();
}

/** A text string of CBOR with a length of four bytes (RFC 8949, 3.1). */
function cborOf(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const head = new DataView(new ArrayBuffer(5));
  head.setUint8(0, 0x7a);
  head.setUint32(1, bytes.length);
  return new Uint8Array([...new Uint8Array(head.buffer), ...bytes]);
}

function textOf(bytes: Uint8Array): string {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  return new TextDecoder().decode(bytes.subarray(5, 5 + length));
}

const toBase64 = (bytes: Uint8Array) => bytes.toBase64();

const fromBase64 = (code: string) => Uint8Array.fromBase64(code);
