/** Loads svelte-kit-sessions, and does for it what SvelteKit does: creates the event and sends its cookies. */
import type { Timers } from "./timers.ts";

/**
 * Its peers, with theirs: it uses their types only, and is not installed without them. No import here is a literal,
 * because a type check would then install all of SvelteKit, and fail without the condition `svelte`.
 */
const PEERS = [
  "npm:svelte@5.43.0",
  "npm:vite@5.4.21",
  "npm:@sveltejs/vite-plugin-svelte@4.0.4",
  "npm:@sveltejs/kit@2.8.0",
];

/** The package by which this SvelteKit reads and writes cookies. */
const COOKIE = "npm:cookie@0.6.0";

/** A session of svelte-kit-sessions. */
export interface Session {
  readonly id: string;
  // deno-lint-ignore no-explicit-any -- an application's values
  readonly data: any;
  setData(data: object): Promise<void>;
  save(): Promise<void>;
  regenerate(): Promise<Session>;
  destroy(): Promise<void>;
}

/** Its store. */
export interface Store {
  get(id: string): Promise<unknown>;
  set(id: string, data: unknown, ttl: number): Promise<void>;
  destroy(id: string): Promise<void>;
  touch(id: string, ttl: number): Promise<void>;
}

/** A request, as SvelteKit's hooks receive it. */
export interface Event {
  readonly cookies: Cookies;
  readonly locals: { session?: Session };
}

/** A hook of SvelteKit. */
export type Handle = (input: {
  event: Event;
  resolve: (event: Event) => Promise<Response>;
}) => Promise<Response>;

/** What svelte-kit-sessions exports, and its SvelteKit. */
export interface Kit {
  readonly MemoryStore: new () => Store;
  readonly sveltekitSessionHandle: (options: {
    name?: string;
    secret: string;
    store: Store;
    rolling?: boolean;
    cookie?: { maxAge: number };
  }) => Handle;
  /** The event of a request with a `Cookie` header. */
  newEvent(header: string | null | undefined): Event;
}

/** The functions of the package `cookie`. */
interface CookieFormat {
  parse(header: string): Record<string, string>;
  serialize(name: string, value: string, options: object): string;
}

/** Loads a version; Deno needs `--conditions=svelte`. */
export async function loadKit(pinned: string): Promise<Kit> {
  for (const peer of PEERS) await import(peer);
  const { MemoryStore, sveltekitSessionHandle } = await import(pinned);
  const format = await import(COOKIE);
  return {
    MemoryStore,
    sveltekitSessionHandle,
    newEvent: (header) => ({
      cookies: new Cookies(format, header ?? ""),
      locals: {},
    }),
  };
}

/** The `event.cookies` of SvelteKit 2 on http://localhost. */
export class Cookies {
  readonly #format: CookieFormat;
  readonly #header: string;
  readonly #new = new Map<string, { value: string; options: object }>();

  constructor(format: CookieFormat, header: string) {
    this.#format = format;
    this.#header = header;
  }

  get(name: string): string | undefined {
    return this.#new.get(name)?.value ?? this.#format.parse(this.#header)[name];
  }

  set(name: string, value: string, options: object): void {
    const defaults = { httpOnly: true, sameSite: "lax", secure: false };
    this.#new.set(name, { value, options: { ...defaults, ...options } });
  }

  delete(name: string, options: object): void {
    this.set(name, "", { ...options, maxAge: 0 });
  }

  /** The `Set-Cookie` header for what was set since the last call; empty if nothing was. */
  take(): string {
    const headers = Array.from(
      this.#new,
      ([name, { value, options }]) =>
        this.#format.serialize(name, value, options),
    );
    this.#new.clear();
    return headers.at(-1) ?? "";
  }
}

/** A store by another clock. Its methods do not wait for anything. */
export function timed(store: Store, timers: Timers): Store {
  return {
    get: (id) => timers.run(() => store.get(id)),
    set: (id, data, ttl) => timers.run(() => store.set(id, data, ttl)),
    destroy: (id) => timers.run(() => store.destroy(id)),
    touch: (id, ttl) => timers.run(() => store.touch(id, ttl)),
  };
}
