/**
 * One request of a visitor, as every library answers it.
 *
 * @module
 */

/** How a session is kept. */
export type Kind = "signed" | "sealed" | "memory" | "file" | "kv";

/** A request: its cookie, what its handler does with the session, and what it found. */
export interface Visit {
  /** The `Cookie` header. */
  cookie: string | null;
  /** The value that the handler reads, unless it sets values. */
  get: string;
  /** The values that the handler sets. */
  set: Record<string, unknown> | undefined;
  /** Whether the end of the request counts: whether something has changed must be found out. */
  ends: boolean;
  /** What `get` found. */
  got: unknown;
}

/** A library with one of its storages, or a floor. */
export interface Subject {
  readonly name: string;
  readonly kind: Kind;
  /** Whether it is a floor: the work that cannot be left out. */
  readonly floor?: boolean;
  /** Handles a request. Its `Set-Cookie` headers, "" for none. */
  handle(visit: Visit): Answer | Promise<Answer>;
  /** What Node's own servers run instead. */
  readonly middleware?: ExpressMiddleware;
}

/** A middleware of Express. */
// deno-lint-ignore no-explicit-any -- Node's requests, and what stands in for them
export type ExpressMiddleware = (req: any, res: any, next: () => void) => void;

/** `Set-Cookie` headers. */
export type Answer = string | readonly string[];

/** The secret of every library; iron asks for 32 characters. */
export const SECRET = "0123456789abcdef0123456789abcdef";

/** The `Cookie` header that a browser sends after an answer. */
export function cookieAfter(answer: Answer): string {
  const pairs = [answer].flat().map((header) => header.split(";")[0] ?? "");
  // Of two cookies of one name, a browser keeps the later.
  return [...new Map(pairs.map((pair) => [pair.split("=")[0], pair])).values()]
    .join("; ");
}

/** A session with methods. */
interface Values {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

/** Does what the handler does, on a session with methods. Whether it has changed the session. */
export function useMethods(visit: Visit, session: Values): boolean {
  const { set } = visit;
  if (set === undefined) {
    visit.got = session.get(visit.get);
    return false;
  }
  for (const key in set) session.set(key, set[key]);
  return true;
}

/** Does what the handler does, on a session whose properties are its values. Whether it has changed the session. */
export function useProperties(
  visit: Visit,
  session: Record<string, unknown>,
): boolean {
  if (visit.set === undefined) {
    visit.got = session[visit.get];
    return false;
  }
  Object.assign(session, visit.set);
  return true;
}

/** How large a session is: JSON of about 300 bytes, 2,750 and 26,000. */
export type Size = "S" | "L" | "XL";

const PRODUCTS: Readonly<Record<Size, number>> = { S: 3, L: 36, XL: 345 };

/** The values of a visitor's session. */
export function sessionOf(
  size: Size,
  visitor: number,
): Record<string, unknown> {
  const cart = Array.from({ length: PRODUCTS[size] }, (_, i) => ({
    sku: `tea-earl-grey-${250 + i}`,
    name: `Earl Grey no. ${i}, 250 g`,
    quantity: i % 7,
  }));
  return { userId: `u_${1000 + visitor}`, theme: "dark", visits: 0, cart };
}
