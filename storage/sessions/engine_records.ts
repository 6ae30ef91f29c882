/**
 * A place for records behind the engine contract.
 *
 * @module
 */
import { utf8Length } from "../../core/bytes.ts";
import { SessionError } from "../../core/errors.ts";
import { hashId } from "../../core/keys.ts";
import {
  checkSize,
  decodeRecord,
  encodeRecord,
  encodeTexts,
} from "../../core/record.ts";
import { MAX_ATTEMPTS } from "./policy.ts";
import type { Draft, RecordStore, Stage, Stored } from "./records.ts";
import type { Engine } from "../contract.ts";

interface Placed extends Stored {
  readonly key: string;
  readonly text: string;
}

/** What stands before a record that is no session yet. A record itself begins with a bracket. */
const STAGES: Record<Stage, string> = { copied: "?", checked: "!", moved: ">" };
const STAGE_NAMES = Object.keys(STAGES) as Stage[];

/** For how long, in milliseconds, it is known which id a record has given way to: for who asks again. */
const RETIRED = 60_000;

/** An id as the core mints it, or as long and as plain, where an application brings its own. */
const ID = /^[\w-]{22,64}$/;

/** Keeps records in an engine: encoded, and under the hash of their id, so that a stolen dump holds no usable id. */
export function engineRecords(engine: Engine): RecordStore {
  const { guarantees } = engine;

  async function write(
    id: string,
    key: string,
    { life, entries, expires, owned, stage }: Draft,
    ifVersion: unknown,
  ): Promise<Placed | null> {
    const text = (stage ? STAGES[stage] : "") +
      encodeRecord(checkOf(key), life, entries, owned);
    const limit = guarantees.maxBytes;
    // UTF-8 takes three bytes for a UTF-16 unit at the most: most records need no counting.
    if (limit !== undefined && text.length * 3 > limit) {
      checkSize("the engine", utf8Length(text), limit, entries);
    }
    const version = await engine.write(key, text, { expires, ifVersion });
    return version === null ? null : place(id, key, text, version, expires);
  }

  function versionOf(stored: Stored): unknown {
    return guarantees.compareAndSet ? stored.version : undefined;
  }

  async function load(id: string, key: string): Promise<Placed | null> {
    const found = await engine.read(key);
    if (found === null) return null;
    if (typeof found?.value !== "string" || typeof found.expires !== "number") {
      throw new SessionError(
        "store-failed",
        "Cannot read session: the engine gave something that is no record",
      );
    }
    return place(id, key, found.value, found.version, found.expires);
  }

  async function end(placed: Placed, attempt: number): Promise<void> {
    const { id, key, version } = placed;
    // The note last: whoever is cut off before that, or comes again, finds the session by it.
    const next = nextOf(placed);
    const moved = next === undefined ? null : await load(id, next);
    if (moved) await end(moved, attempt + 1);
    // Whoever keeps changing a session does not keep it from its end.
    const sure = guarantees.compareAndSet && attempt < MAX_ATTEMPTS;
    const options = sure ? { ifVersion: version } : {};
    if (await engine.delete(key, options)) return;
    const changed = await load(id, key);
    if (changed) await end(changed, attempt + 1);
  }

  const store: RecordStore = {
    guarantees,
    engine,
    accepts: (id) => ID.test(id),
    load: (id) => load(id, hashId(id)),
    create: (id, draft) =>
      write(
        id,
        hashId(id),
        draft,
        guarantees.compareAndSet ? null : undefined,
      ),
    replace: (stored, draft) =>
      write(stored.id, (stored as Placed).key, draft, versionOf(stored)),
    remove: (id, stored) =>
      engine.delete(
        hashId(id),
        stored ? { ifVersion: versionOf(stored) } : {},
      ),
    end: (stored) => end(stored as Placed, 1),
    async retire(stored, nextId, now) {
      if (!guarantees.compareAndSet) return await store.remove(stored.id);
      // Deleting would leave nothing to tell whose deletion it was, if its answer was lost: ours, or a logout's.
      const next = hashId(nextId);
      const left = await store.replace(stored, {
        life: { created: now, ends: now, lifetime: null },
        entries: { values: encodeTexts([["next", next]]), flashes: new Map() },
        expires: now + RETIRED,
        stage: "moved",
      });
      if (left) return true;
      return nextOf(await load(stored.id, (stored as Placed).key)) === next;
    },
    async touch(stored, expires) {
      const { id, key, text, version } = stored as Placed;
      const ifVersion = versionOf(stored);
      if (engine.touch) {
        const touched = await engine.touch(key, expires, { ifVersion });
        return touched === false
          ? null
          : place(id, key, text, version, expires);
      }
      const next = await engine.write(key, text, { expires, ifVersion });
      return next === null ? null : place(id, key, text, next, expires);
    },
  };
  if (engine.sweep) store.sweep = (now) => engine.sweep?.(now) ?? none();
  if (engine.close) store.close = () => engine.close?.() ?? none();
  return store;
}

function place(
  id: string,
  key: string,
  text: string,
  version: unknown,
  expires: number,
): Placed {
  const decode = () => decodeRecord(checkOf(key), text);
  const placed = { id, key, text, version, expires, decode };
  const mark = text[0];
  if (mark === "[") return placed;
  const stage = STAGE_NAMES.find((name) => STAGES[name] === mark);
  if (!stage) return placed;
  const staged = () => decodeRecord(checkOf(key), recordOf(text));
  return { ...placed, stage, decode: staged };
}

/** The key of the session that a note stands for; `undefined` where it is none of a new id. */
function nextOf(placed: Placed | null): string | undefined {
  if (placed?.stage !== "moved") return undefined;
  const next = placed.decode()?.values["next"];
  return typeof next === "string" ? next : undefined;
}

/** A text without the mark of its stage. */
export function recordOf(text: string): string {
  return text.startsWith("[") ? text : text.slice(1);
}

/** What ties a record to its key: enough to find out records that were swapped. */
export function checkOf(key: string): string {
  return key.slice(0, 8);
}

async function none(): Promise<void> {}
