/**
 * The trace of a trial: one line per request. Cookies appear under made-up names only.
 *
 * @module
 */

/** The requests of a trial so far. */
export class Trace {
  /** One line each, numbered. */
  readonly lines: string[] = [];
  readonly #names = new Map<string, string>();

  /** Adds a line. */
  note(line: string): void {
    this.lines.push(`${this.lines.length + 1}. ${line}`);
  }

  /** A cookie's name in the trace: never the cookie itself. */
  nameOf(cookie: string | null): string {
    if (cookie === null) return "no cookie";
    const name = this.#names.get(cookie) ?? `cookie ${this.#names.size + 1}`;
    this.#names.set(cookie, name);
    return name;
  }
}

/** Runs one of the target's own hooks; what the hook throws is not blamed on the storage. */
export type Hook = <T>(name: string, call: () => Promise<T>) => Promise<T>;

/** A key or a name, as the trace shows it. */
export function quote(key: string): string {
  return JSON.stringify(key.length > 30 ? `${key.slice(0, 30)}…` : key);
}
