/**
 * Whose turn it is to sweep.
 *
 * @module
 */
import { type Files, isOneOf } from "./files.ts";

const FOLDER = ".sweep";
const TURN = /^([\w-]{0,2})@(\d{1,16})$/;

interface Turn {
  /** The name of its file. */
  readonly name: string;
  /** The last folder that was swept; empty at the beginning. */
  readonly shard: string;
  /** When another process may take it, in milliseconds. */
  readonly until: number;
}

/**
 * One turn for all processes that share a directory: an empty file, `<shard>@<until>`, alone in its folder. Its name
 * says how far the sweep has come. To take the turn, and to go on with it, is to rename the file. If several processes
 * do, exactly one succeeds. If a process is killed, or stalls, another goes on where it was, after the time is up.
 */
export class Turns {
  readonly #files: Files;
  readonly #dir: string;
  readonly #longest: number;
  #held: string | undefined;

  /** @param longest How long a turn lasts at most, in milliseconds. A later instant comes from a clock that was ahead. */
  constructor(files: Files, dir: string, longest: number) {
    this.#files = files;
    this.#dir = `${dir}/${FOLDER}`;
    this.#longest = longest;
  }

  /** Takes the turn. Returns the last folder that was swept, or `undefined` if another process has the turn. */
  async take(now: number): Promise<string | undefined> {
    const [newest, ...others] = await this.#find();
    if (!newest) return undefined;
    const left = newest.until - now;
    if (left > 0 && left <= this.#longest) return undefined;
    // Of processes that began at the same time, or from a copy of the directory.
    for (const { name } of others) await this.#files.remove(this.#path(name));
    this.#held = newest.name;
    return await this.keep(newest.shard, now + this.#longest)
      ? newest.shard
      : undefined;
  }

  /** Says how far the sweep has come. Returns `false` if another process has taken the turn. */
  async keep(shard: string, until: number): Promise<boolean> {
    const held = this.#held;
    const name = `${shard}@${instant(until)}`;
    if (held === undefined || name === held) return held !== undefined;
    const kept = await this.#files.rename(this.#path(held), this.#path(name));
    this.#held = kept ? name : undefined;
    return kept;
  }

  /** The turns, the newest first. */
  async #find(): Promise<Turn[]> {
    const kind = await this.#files.patiently(() => this.#files.kind(this.#dir));
    if (kind === "foreign") {
      throw new Error(
        "Cannot sweep: a file has the name of a folder in the directory of the sessions",
      );
    }
    if (kind === "folder") {
      const found = await this.#list();
      if (found.length > 0) return found;
    } else await this.#try(() => this.#files.createFolder(this.#dir));
    await this.#try(() => this.#files.createEmpty(this.#path("@0")));
    return await this.#list();
  }

  async #list(): Promise<Turn[]> {
    const turns: Turn[] = [];
    for (const entry of await this.#files.listAsync(this.#dir)) {
      const [name, shard = "", until] = TURN.exec(entry.name) ?? [];
      if (name && entry.isFile()) {
        turns.push({ name, shard, until: Number(until) });
      }
    }
    return turns.sort((a, b) => b.until - a.until);
  }

  /** Another process may have created it. */
  async #try(create: () => Promise<void>): Promise<void> {
    try {
      await create();
    } catch (error) {
      if (!isOneOf(["EEXIST"], error)) throw error;
    }
  }

  #path(name: string): string {
    return `${this.#dir}/${name}`;
  }
}

/** A broken clock must not make a name that is not a turn. */
function instant(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms) || 0, 0), Number.MAX_SAFE_INTEGER);
}
