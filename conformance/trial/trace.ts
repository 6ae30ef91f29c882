/**
 * The trace of a trial: one line per request. Cookies and ids appear under made-up names only.
 *
 * @module
 */

/** The requests of a trial so far. */
export class Trace {
  /** One line each, numbered. */
  readonly lines: string[] = [];
  readonly #names = new Map<string, string>();
  readonly #ids = new Set<string>();

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

  /** Remembers an id, which must not be shown. */
  learn(id: unknown): void {
    // Shorter ones would also be found where no id is meant.
    if (typeof id === "string" && id.length >= SHORTEST_ID) this.#ids.add(id);
  }

  /** Text of the target, such as an error's message, without cookies and ids. */
  hide(text: string): string {
    let out = text;
    for (const [cookie, name] of this.#names) {
      const value = cookie.slice(cookie.indexOf("=") + 1);
      if (value.length >= SHORTEST_ID) out = out.replaceAll(value, `<${name}>`);
    }
    for (const id of this.#ids) out = out.replaceAll(id, "<an id>");
    return out;
  }
}

/** In characters. */
const SHORTEST_ID = 8;

/** Runs one of the target's own hooks; what the hook throws is not blamed on the storage. */
export type Hook = <T>(name: string, call: () => Promise<T>) => Promise<T>;

/** A key or a name, as the trace shows it. */
export function quote(key: string): string {
  return JSON.stringify(key.length > 30 ? `${key.slice(0, 30)}…` : key);
}
