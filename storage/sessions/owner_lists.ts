/**
 * The lists of owners' sessions, as an engine keeps them.
 *
 * @module
 */
import { SessionError } from "../../core/errors.ts";
import { OWNED_LIFETIME, type Policy } from "./policy.ts";
import type { Engine } from "../contract.ts";

/** `["owner/1", check, [[key, ends], …]]`; a session that is in use may outlive the `ends` that it was listed with. */
const FORMAT = "owner/1";

/** How many letters of its key a list repeats, as a record does. */
const CHECKED = 8;

/** Enough for anybody. */
const MAX_LISTED = 500;

/** An upper bound for the bytes that one session takes in a list, and for those around them. */
const LISTED_BYTES = 66;

/** The keys of sessions, each with the instant at which it was to end when it was listed. */
export type Listed = Map<string, number>;

/** A list as it stands in the engine; with the version `null`, it does not. */
export interface OwnerList {
  readonly listed: ReadonlyMap<string, number>;
  readonly version: unknown;
  readonly expires: number;
}

/** Reads and writes lists. An owner is named by the key of the list. */
export class OwnerLists {
  /** How many sessions a list takes. */
  readonly max: number;
  readonly #engine: Engine;
  readonly #policy: Policy;

  constructor(engine: Engine, policy: Policy) {
    this.#engine = engine;
    this.#policy = policy;
    const { maxBytes = Infinity } = engine.guarantees;
    this.max = Math.min(MAX_LISTED, Math.floor(maxBytes / LISTED_BYTES) - 1);
  }

  /** @param options `anew`: a list that is damaged is begun anew. */
  async read(
    owner: string,
    { anew = false }: { anew?: boolean } = {},
  ): Promise<OwnerList> {
    const found = await this.#policy.call(
      "read session",
      () => this.#engine.read(owner),
    );
    if (!found) return { listed: new Map(), version: null, expires: 0 };
    const { value, version, expires } = found;
    const listed = decode(owner, value);
    if (!listed) this.#policy.report("corrupt-record");
    if (listed || anew) {
      return { listed: listed ?? new Map(), version, expires };
    }
    throw new SessionError(
      "store-failed",
      "Cannot find an owner's sessions: the list of them is damaged; the owner's next login begins a new one",
    );
  }

  /** Writes a list in place of the one that was read; `undefined` where that has changed. */
  async write(
    owner: string,
    { version: ifVersion, expires: had }: OwnerList,
    listed: Listed,
  ): Promise<OwnerList | undefined> {
    return await this.#policy.call("save session", async () => {
      if (listed.size === 0) {
        return await this.#engine.delete(owner, { ifVersion })
          ? { listed, version: null, expires: 0 }
          : undefined;
      }
      const { absoluteTimeout = 0 } = this.#policy.timeouts;
      // No shorter than the default: the next deployment may let sessions live longer, and lists are not written anew.
      const lasts = Math.max(absoluteTimeout, OWNED_LIFETIME);
      const ends = this.#policy.instant() + lasts * 1000;
      const expires = Math.max(had, ends);
      const text = encode(owner, listed);
      const options = { expires, ifVersion };
      const version = await this.#engine.write(owner, text, options);
      return version === null ? undefined : { listed, version, expires };
    });
  }
}

function encode(owner: string, listed: Listed): string {
  return JSON.stringify([FORMAT, owner.slice(0, CHECKED), [...listed]]);
}

function decode(owner: string, text: string): Listed | undefined {
  try {
    const [format, check, listed] = JSON.parse(text);
    const whole = format === FORMAT && check === owner.slice(0, CHECKED) &&
      Array.isArray(listed) && listed.every(isListed);
    return whole ? new Map(listed) : undefined;
  } catch {
    return undefined;
  }
}

function isListed(entry: unknown): entry is [string, number] {
  return Array.isArray(entry) && typeof entry[0] === "string" &&
    typeof entry[1] === "number";
}
