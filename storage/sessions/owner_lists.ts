/**
 * The lists of owners' sessions in an engine.
 *
 * @module
 */
import { SessionError } from "../../core/errors.ts";
import { OWNED_LIFETIME, type Policy } from "./policy.ts";
import type { Engine } from "../contract.ts";

/** `["owner/1", check, [[key, expires], …]]`. A session that is in use can have a later deadline than the list says. */
const FORMAT = "owner/1";

/** The length of `check`: the beginning of the list's key, as in a record. */
const CHECKED = 8;

/** The most sessions of one owner. */
const MAX_LISTED = 500;

/** The most bytes that one session takes in a list, and that the rest of the list takes. */
const LISTED_BYTES = 66;

/** The keys of sessions, each with its deadline as of when it was listed. */
export type Listed = Map<string, number>;

/** A stored list. The version is `null` if the engine does not have it. */
export interface OwnerList {
  readonly listed: ReadonlyMap<string, number>;
  readonly version: unknown;
  readonly expires: number;
}

/** Reads and writes lists. `owner` is the key of the owner's list. */
export class OwnerLists {
  /** The most sessions in a list. */
  readonly max: number;
  readonly #engine: Engine;
  readonly #policy: Policy;

  constructor(engine: Engine, policy: Policy) {
    this.#engine = engine;
    this.#policy = policy;
    const { maxBytes = Infinity } = engine.guarantees;
    this.max = Math.min(MAX_LISTED, Math.floor(maxBytes / LISTED_BYTES) - 1);
  }

  /** @param options `anew` replaces a damaged list by an empty one. */
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

  /** Replaces the list that was read; `undefined` if it has changed since. */
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
      // At least the default, because the next deployment may set a longer timeout, and lists are not rewritten then.
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
