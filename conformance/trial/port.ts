/**
 * One interface to storages of every shape.
 *
 * @module
 */
import type { SessionLike, StorageLike } from "../types.ts";

/** The storage broke a rule, or a call to it failed. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly got: unknown;
  readonly want: unknown;
  readonly compared: boolean;

  constructor(
    message: string,
    compared?: { got: unknown; want: unknown },
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.compared = compared !== undefined;
    this.got = compared?.got;
    this.want = compared?.want;
  }
}

/** One of the target's own hooks failed. */
export class HarnessError extends Error {
  override readonly name = "HarnessError";
}

/** The rule does not apply, or could not be tried. */
export class Unfit extends Error {
  override readonly name = "Unfit";
  readonly outcome: "not-applicable" | "not-run";

  constructor(outcome: "not-applicable" | "not-run", reason: string) {
    super(reason);
    this.outcome = outcome;
  }
}

/** What a save sent to the browser: nothing, a cleared cookie, or a cookie; with the `Set-Cookie` header if there is one. */
export type Sent =
  | { readonly kind: "nothing" }
  | { readonly kind: "clear"; readonly header?: string }
  | {
    readonly kind: "cookie";
    readonly cookie: string;
    readonly header?: string;
  };

/** Options of a save. */
export interface PortSaveOptions {
  readonly maxAge?: number;
}

/** A storage of any shape. A cookie is the text that a browser would send back. */
export interface Port {
  /** Whether cookies have a name, rather than being bare values. */
  readonly http: boolean;
  read(cookie: string | null): Promise<SessionLike>;
  save(session: SessionLike, options?: PortSaveOptions): Promise<Sent>;
  destroy(session: SessionLike): Promise<Sent>;
}

/** Runs a call to the storage under test. If it throws, the storage broke the rule. */
export async function blame<T>(
  what: string,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new Violation(
      `${what} rejected: ${describe(cause)}`,
      undefined,
      cause,
    );
  }
}

/** How many causes of an error are shown. */
const MOST_CAUSES = 4;

/** An error as text, with its causes: what the author has to mend is often the last. */
export function describe(error: unknown): string {
  const texts: string[] = [];
  let at = error;
  for (let i = 0; i < MOST_CAUSES && at !== undefined; i++) {
    const { text, cause } = look(at);
    // Some libraries repeat the message of the cause in their own.
    if (!texts.some((other) => other.includes(text))) texts.push(text);
    at = cause;
  }
  return texts.join("; caused by ");
}

function look(error: unknown): { text: string; cause?: unknown } {
  try {
    if (error instanceof Error) {
      const { name, message, cause, code, errors } = error as Error & {
        readonly code?: unknown;
        readonly errors?: unknown;
      };
      // Node's connection errors have an empty message, and a code.
      const said = message === "" && typeof code === "string" ? code : message;
      return {
        text: `${name}: ${said.slice(0, 500)}`,
        cause: cause ?? (Array.isArray(errors) ? errors[0] : undefined),
      };
    }
  } catch {
    // Reading an error's fields can throw too.
  }
  return { text: `it threw a value of type ${typeof error}` };
}

/** What a value is. Not the value itself: it may be a cookie or an id. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return `${value}`;
  if (Array.isArray(value)) return "a list";
  if (value instanceof Promise) return "a promise";
  return `${/^[aeiou]/.test(typeof value) ? "an" : "a"} ${typeof value}`;
}

/** The key of a port, on an object that has it instead of a storage's methods. The self-check uses it. */
export const PORT: unique symbol = Symbol("port");

/** The port of a storage of any shape. */
export function portOf(
  storage: StorageLike & { readonly [PORT]?: Port } | undefined,
): Port {
  if (storage?.[PORT]) return storage[PORT];
  if (typeof storage?.getSession === "function") return httpPort(storage);
  if (typeof storage?.read === "function") return valuePort(storage);
  throw new HarnessError(
    "open() must return a storage with read and save, or with getSession and commitSession",
  );
}

/** The port of a storage's `read` and `save`, past its cookie; `undefined` if it does not have both. */
export function barePort(
  storage: StorageLike & { readonly [PORT]?: Port },
): Port | undefined {
  const { read, save } = storage;
  if (storage[PORT] || !read || !save) return undefined;
  return valuePort({
    read: (value) => read.call(storage, value),
    save: (session, options) => save.call(storage, session, options),
  });
}

function valuePort(storage: StorageLike): Port {
  const save = async (session: SessionLike, options?: PortSaveOptions) => {
    const value = await storage.save?.(session, options);
    if (value === null) return { kind: "nothing" } as const;
    if (value === "") return { kind: "clear" } as const;
    if (typeof value === "string") {
      return { kind: "cookie", cookie: value } as const;
    }
    throw new Violation(
      `save() returned ${kindOf(value)}; it must return a string or null`,
    );
  };
  return {
    http: false,
    read: async (cookie) => check("read()", await storage.read?.(cookie)),
    save,
    destroy(session) {
      session.destroy?.();
      return save(session);
    },
  };
}

function httpPort(storage: StorageLike): Port {
  return {
    http: true,
    read: async (cookie) =>
      check("getSession()", await storage.getSession?.(cookie)),
    save: async (session, options) =>
      parse(
        "commitSession()",
        // By default a commit renews the cookie. The suite only wants what has to be sent, as a middleware does.
        await storage.commitSession?.(session, { ...options, renew: false }),
      ),
    destroy: async (session) =>
      parse("destroySession()", await storage.destroySession?.(session)),
  };
}

function check(what: string, session: unknown): SessionLike {
  if (typeof session !== "object" || session === null) {
    throw new Violation(
      `${what} returned ${kindOf(session)}; it must return a session`,
    );
  }
  const methods = ["get", "set", "has", "unset", "flash"] as const;
  const like = session as Partial<SessionLike>;
  const missing = methods.filter((name) => like[name] === undefined);
  if (missing.length > 0) {
    throw new Violation(
      `${what} returned an object without ${
        missing.join(", ")
      }; it must return a session`,
    );
  }
  const wrong = methods.find((name) => typeof like[name] !== "function");
  if (wrong === undefined) return like as SessionLike;
  throw new Violation(
    `${what} returned an object whose ${wrong} is ${
      kindOf(like[wrong])
    }; in a session it is a method`,
  );
}

function parse(what: string, header: unknown): Sent {
  if (typeof header !== "string") {
    throw new Violation(
      `${what} returned ${kindOf(header)}; it must return a string`,
    );
  }
  if (header === "") return { kind: "nothing" };
  const [pair = "", ...attributes] = header.split(";");
  const expired = attributes.some((attribute) => {
    const [name = "", value = ""] = attribute.trim().split("=");
    if (/^max-age$/i.test(name)) return Number(value) <= 0;
    return /^expires$/i.test(name) && Date.parse(value) <= 0;
  });
  if (expired || pair.endsWith("=")) return { kind: "clear", header };
  return { kind: "cookie", cookie: pair.trim(), header };
}
