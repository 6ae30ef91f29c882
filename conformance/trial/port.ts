/**
 * One way to talk to every shape of storage.
 *
 * @module
 */
import type { SessionLike, StorageLike } from "../types.ts";

/** The storage broke a rule, or did something that no storage may do. */
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

/** The target's own hooks broke. */
export class HarnessError extends Error {
  override readonly name = "HarnessError";
}

/** The rule does not apply, or cannot be tried. */
export class Unfit extends Error {
  override readonly name = "Unfit";
  readonly outcome: "not-applicable" | "not-run";

  constructor(outcome: "not-applicable" | "not-run", reason: string) {
    super(reason);
    this.outcome = outcome;
  }
}

/** What a save told the browser: nothing, to forget the cookie, or to keep this one. */
export type Sent =
  | { readonly kind: "nothing" }
  | { readonly kind: "clear" }
  | { readonly kind: "cookie"; readonly cookie: string };

/** What a save may be told. */
export interface PortSaveOptions {
  readonly maxAge?: number;
}

/** A storage behind one shape. A cookie is whatever a browser would send back. */
export interface Port {
  /** Whether cookies are real ones, with a name, rather than bare values. */
  readonly http: boolean;
  read(cookie: string | null): Promise<SessionLike>;
  save(session: SessionLike, options?: PortSaveOptions): Promise<Sent>;
  destroy(session: SessionLike): Promise<Sent>;
}

/** Runs a call to the storage under test; what it throws is the storage's fault. */
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

/** An error in a few words. */
export function describe(error: unknown): string {
  try {
    if (error instanceof Error) return `${error.name}: ${error.message}`;
  } catch {
    // An error can be as broken as the storage that throws it.
  }
  return `a ${typeof error} was thrown`;
}

/** The key of a port that an object carries in place of a storage's methods; the suite's own sabotage does. */
export const PORT: unique symbol = Symbol("port");

/** The port of a storage of any shape. */
export function portOf(
  storage: StorageLike & { readonly [PORT]?: Port } | undefined,
): Port {
  if (storage?.[PORT]) return storage[PORT];
  if (typeof storage?.getSession === "function") return httpPort(storage);
  if (typeof storage?.read === "function") return valuePort(storage);
  throw new HarnessError(
    "open() must give a storage with read and save, or with getSession and commitSession",
  );
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
      `save() gave ${typeof value}; it must give a string or null`,
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
        // An explicit commit renews the cookie; the suite asks, as a middleware does, for what there is to send.
        await storage.commitSession?.(session, { ...options, renew: false }),
      ),
    destroy: async (session) =>
      parse("destroySession()", await storage.destroySession?.(session)),
  };
}

function check(what: string, session: unknown): SessionLike {
  const methods = ["get", "set", "has", "unset", "flash"] as const;
  const like = session as Partial<SessionLike> | null | undefined;
  const missing = methods.filter((name) => typeof like?.[name] !== "function");
  if (missing.length === 0) return like as SessionLike;
  if (typeof session !== "object" || session === null) {
    // Not the value itself: it may be the cookie.
    const given = session === null || session === undefined
      ? session
      : `a ${typeof session}`;
    throw new Violation(`${what} gave ${given}; it must give a session`);
  }
  throw new Violation(
    `${what} gave an object without ${
      missing.join(", ")
    }; it must give a session`,
  );
}

function parse(what: string, header: unknown): Sent {
  if (typeof header !== "string") {
    throw new Violation(`${what} gave ${typeof header}; it must give a string`);
  }
  if (header === "") return { kind: "nothing" };
  const [pair = "", ...attributes] = header.split(";");
  const expired = attributes.some((attribute) => {
    const [name = "", value = ""] = attribute.trim().split("=");
    if (/^max-age$/i.test(name)) return Number(value) <= 0;
    return /^expires$/i.test(name) && Date.parse(value) <= 0;
  });
  if (expired || pair.endsWith("=")) return { kind: "clear" };
  return { kind: "cookie", cookie: pair.trim() };
}
