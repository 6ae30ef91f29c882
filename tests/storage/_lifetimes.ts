/**
 * Storages, settings and visitors for the tests of lifetimes.
 *
 * @module
 */
import type { Lifetime, Timeouts } from "../../core/lifetime.ts";
import { withSession } from "../../middleware/with_session.ts";
import type { SessionEvent, SessionStorage } from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { createDenoKvSessionStorage } from "../../storage/deno_kv.ts";
import { memoryEngine } from "../engines/_memory.ts";
import { createFileSessionStorage } from "../../storage/file.ts";
import type { Clock } from "../core/_support.ts";
import { FakeEngine } from "./_fake_engine.ts";

export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

/** When the sessions of the tables begin. */
export const BEGIN = 1_700_000_000_000;

/** So many days, in seconds. */
export const days = (count: number): number => count * DAY / SECOND;

/** A storage's settings, as a deployment changes them. */
export interface Setting {
  readonly name: string;
  /** `maxAge` of the cookie, in seconds. */
  readonly maxAge?: number;
  readonly timeouts?: Timeouts;
  /** `maxAge` of the commit that creates a session, in seconds. */
  readonly own?: number;
}

const idleTimeout = days(5);
const absoluteTimeout = days(20);
const maxAge = days(7);
const own = days(30);

/** Settings under which sessions begin. */
export const SETTINGS: readonly Setting[] = [
  { name: "nothing" },
  { name: "maxAge 7 days", maxAge },
  { name: "idleTimeout 5 days", timeouts: { idleTimeout } },
  { name: "idleTimeout 30 days", timeouts: { idleTimeout: days(30) } },
  { name: "absoluteTimeout 20 days", timeouts: { absoluteTimeout } },
  {
    name: "idleTimeout 5 days, absoluteTimeout 20 days",
    timeouts: { idleTimeout, absoluteTimeout },
  },
  {
    name: "maxAge 7 days, idleTimeout 5 days",
    maxAge,
    timeouts: { idleTimeout },
  },
  {
    name: "rolling, maxAge 7 days",
    maxAge,
    timeouts: { rolling: true },
  },
  {
    name: "rolling, maxAge 7 days, absoluteTimeout 20 days",
    maxAge,
    timeouts: { rolling: true, absoluteTimeout },
  },
  {
    name: "rolling, idleTimeout 5 days",
    timeouts: { rolling: true, idleTimeout },
  },
  {
    name: "rolling, maxAge 7 days, idleTimeout 5 days",
    maxAge,
    timeouts: { rolling: true, idleTimeout },
  },
  { name: "commit for 30 days", own },
  { name: "maxAge 7 days, commit for 30 days", maxAge, own },
  {
    name: "idleTimeout 5 days, commit for 30 days",
    timeouts: { idleTimeout },
    own,
  },
  {
    name: "rolling, maxAge 7 days, commit for 30 days",
    maxAge,
    timeouts: { rolling: true },
    own,
  },
  {
    name: "notBefore a day earlier",
    timeouts: { notBefore: new Date(BEGIN - DAY) },
  },
  {
    name: "idleTimeout 5 days, touchAfter 2 days",
    timeouts: { idleTimeout, touchAfter: days(2) },
  },
  {
    name: "rolling, maxAge 7 days, touchAfter 2 days",
    maxAge,
    timeouts: { rolling: true, touchAfter: days(2) },
  },
  {
    name: "maxAge 7 days, touchAfter 2 days",
    maxAge,
    timeouts: { touchAfter: days(2) },
  },
];

/** Settings between which a deployment changes. */
export const CHANGES: readonly Setting[] = [
  { name: "nothing" },
  { name: "maxAge 7 days", maxAge },
  { name: "maxAge 30 days", maxAge: days(30) },
  { name: "idleTimeout 5 days", timeouts: { idleTimeout } },
  { name: "idleTimeout 40 days", timeouts: { idleTimeout: days(40) } },
  { name: "absoluteTimeout 6 days", timeouts: { absoluteTimeout: days(6) } },
  { name: "absoluteTimeout 60 days", timeouts: { absoluteTimeout: days(60) } },
  {
    name: "maxAge 30 days, idleTimeout 5 days",
    maxAge: days(30),
    timeouts: { idleTimeout },
  },
  { name: "rolling, maxAge 7 days", maxAge, timeouts: { rolling: true } },
  { name: "maxAge 1 day", maxAge: days(1) },
  { name: "idleTimeout 2 days", timeouts: { idleTimeout: days(2) } },
  { name: "absoluteTimeout 3 days", timeouts: { absoluteTimeout: days(3) } },
];

/** Settings whose `notBefore` is later than the beginning of the sessions. */
export const SIGNS_OUT: Setting = {
  name: "notBefore a day later",
  timeouts: { notBefore: new Date(BEGIN + DAY) },
};

/** Storages that keep their sessions when a deployment opens them anew. */
export interface Kind {
  readonly name: string;
  /** Whether a session is in its cookie. */
  readonly inCookie?: boolean;
  /** Whether its format stores instants only if a setting needs them. */
  readonly plain?: boolean;
  /** Whether a database owns the lifetime, and whether it observes it. */
  readonly database?: "observes" | "ignores";
  /** Whether the engine does not compare and set. */
  readonly races?: boolean;
  /** Whether the quick tests leave out some of its rows. */
  readonly slow?: boolean;
  make(clock: Clock): Promise<Opened>;
}

/** What one kind of storage keeps its sessions in. */
export interface Opened {
  open(
    setting: Setting,
    onEvent?: (event: SessionEvent) => void,
  ): SessionStorage;
  close(): Promise<void>;
}

const secrets = ["s3cr3t"];

function common(setting: Setting, clock: Clock, onEvent: unknown) {
  return {
    ...setting.timeouts,
    now: clock.now,
    onEvent: onEvent as (event: SessionEvent) => void,
    cookie: { name: "s", secrets, maxAge: setting.maxAge },
  };
}

const nothing = async () => {};

function onEngine(name: string, create: () => FakeEngine, races = false): Kind {
  return {
    name,
    races,
    make: async (clock) => {
      const engine = create();
      return {
        open: (setting, onEvent) =>
          createSessionStorage({ ...common(setting, clock, onEvent), engine }),
        close: nothing,
      };
    },
  };
}

function fourFunctions(database: "observes" | "ignores"): Kind {
  return {
    name: `four functions over a Map that ${database} expires`,
    database,
    make: async (clock) => {
      const rows = new Map<string, { data: object; expires: Date }>();
      let ids = 0;
      return {
        open: (setting, onEvent) =>
          createSessionStorage({
            ...common(setting, clock, onEvent),
            async createData(data, expires) {
              const id = `row-${++ids}`;
              rows.set(id, { data, expires });
              return id;
            },
            async readData(id) {
              const row = rows.get(id);
              if (!row) return null;
              const live = database === "ignores" ||
                row.expires.getTime() > clock.time;
              return live ? row.data : null;
            },
            async updateData(id, data, expires) {
              if (rows.has(id)) rows.set(id, { data, expires });
            },
            async deleteData(id) {
              rows.delete(id);
            },
          }),
        close: nothing,
      };
    },
  };
}

function inCookie(format: "satchel" | "react-router" | "remix"): Kind {
  return {
    name: `cookie storage, format ${format}`,
    inCookie: true,
    plain: format !== "satchel",
    make: async (clock) => ({
      open: (setting, onEvent) => {
        const options = common(setting, clock, onEvent);
        const cookie = { ...options.cookie, format };
        return createCookieSessionStorage({ ...options, cookie });
      },
      close: nothing,
    }),
  };
}

const MEMORY: Kind = {
  name: "memory",
  make: async (clock) => {
    const engine = memoryEngine(1e6, clock.now, () => {});
    return {
      open: (setting, onEvent) =>
        createSessionStorage({ ...common(setting, clock, onEvent), engine }),
      close: nothing,
    };
  },
};

const FILES: Kind = {
  name: "files",
  slow: true,
  make: async (clock) => {
    const dir = await Deno.makeTempDir();
    const storages: SessionStorage[] = [];
    return {
      open: (setting, onEvent) => {
        const options = { ...common(setting, clock, onEvent), dir };
        const storage = createFileSessionStorage(options);
        storages.push(storage);
        return storage;
      },
      close: async () => {
        for (const storage of storages) await storage.close?.();
        await Deno.remove(dir, { recursive: true });
      },
    };
  },
};

const DENO_KV: Kind = {
  name: "Deno KV",
  slow: true,
  make: async (clock) => {
    const kv = await Deno.openKv(":memory:");
    return {
      open: (setting, onEvent) =>
        createDenoKvSessionStorage({ ...common(setting, clock, onEvent), kv }),
      close: async () => kv.close(),
    };
  },
};

export const KINDS: readonly Kind[] = [
  MEMORY,
  FILES,
  onEngine("engine", () => new FakeEngine()),
  onEngine("engine with move", () => new FakeEngine({ moves: true })),
  onEngine("engine without touch", () => new FakeEngine({ touches: false })),
  onEngine(
    "engine without compareAndSet",
    () => new FakeEngine({ compareAndSet: false }),
    true,
  ),
  DENO_KV,
  fourFunctions("observes"),
  fourFunctions("ignores"),
  inCookie("satchel"),
  inCookie("react-router"),
  inCookie("remix"),
];

/** A browser with one cookie, and the application that it visits. */
export interface Visitor {
  /** The settings of a new deployment. */
  deploy(storage: SessionStorage): void;
  /** Begins a session. */
  begin(lifetime: Lifetime): Promise<void>;
  /** Reads the session; whether it is there. */
  read(): Promise<boolean>;
  /** Changes the session. */
  save(): Promise<void>;
}

/** A visitor of code that calls the storage itself. It keeps what it was sent, without regard to its lifetime. */
export function caller(storage: SessionStorage): Visitor {
  let cookie: string | null = null;
  const commit = async (n: number, lifetime?: Lifetime) => {
    const session = await storage.getSession(cookie);
    session.set("n", n);
    const setCookie = await storage.commitSession(session, lifetime);
    cookie = setCookie.split(";")[0] ?? null;
  };
  let n = 0;
  return {
    deploy: (next) => void (storage = next),
    begin: (lifetime) => commit(++n, lifetime),
    save: () => commit(++n),
    read: async () => (await storage.getSession(cookie)).get("n") === n,
  };
}

/** How a browser's request differs from an ordinary one. */
export interface Visit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

/** A browser that visits an application under `withSession`. */
export class Browser implements Visitor {
  /** The last `Set-Cookie` header. */
  sent: string[] = [];
  readonly #clock: Clock;
  #storage: SessionStorage;
  #cookie: { pair: string; expires: number } | undefined;
  #n = 0;

  constructor(storage: SessionStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  deploy(storage: SessionStorage): void {
    this.#storage = storage;
  }

  /** The `Cookie` header. */
  get cookie(): string | undefined {
    const kept = this.#cookie;
    return kept && kept.expires > this.#clock.time ? kept.pair : undefined;
  }

  /** Stores a cookie, as another application set it. */
  receive(setCookie: string): void {
    const [pair = "", ...attributes] = setCookie.split("; ");
    const find = (name: string) =>
      attributes.find((text) => text.startsWith(`${name}=`))?.split("=")[1];
    const maxAge = find("Max-Age");
    const expires = find("Expires");
    this.#cookie = {
      pair,
      expires: maxAge !== undefined
        ? this.#clock.time + Number(maxAge) * SECOND
        : expires !== undefined
        ? Date.parse(expires)
        : Infinity,
    };
  }

  async begin({ maxAge }: Lifetime): Promise<void> {
    await this.request({ path: `/set/${++this.#n}/${maxAge ?? ""}` });
  }

  async save(): Promise<void> {
    await this.request({ path: `/set/${++this.#n}/` });
  }

  async read(): Promise<boolean> {
    return await this.request({ path: "/read" }) === String(this.#n);
  }

  /** What the application answers. */
  async request(
    { method = "GET", headers = {}, path = "/read" }: Visit,
  ): Promise<string> {
    const handler = withSession(this.#storage, (request, session) => {
      const [, verb, n, maxAge] = new URL(request.url).pathname.split("/");
      if (verb === "set") {
        session.set("n", Number(n));
        if (maxAge) session.setMaxAge(Number(maxAge));
      }
      if (verb === "ignore") return new Response("");
      if (verb === "throw") throw new Error("a failed request");
      const answer = String(session.get("n") ?? "none");
      return new Response(method === "HEAD" ? null : answer, {
        status: verb === "fail" ? 500 : 200,
      });
    });
    const { cookie } = this;
    const response = await handler(
      new Request(`http://x${path}`, {
        method,
        headers: { ...headers, ...cookie && { cookie } },
      }),
    );
    this.sent = response.headers.getSetCookie();
    for (const setCookie of this.sent) this.receive(setCookie);
    return await response.text();
  }
}
