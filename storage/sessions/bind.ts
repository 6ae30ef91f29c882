/**
 * Creates the storage that a factory returns, and binds it to a cookie.
 *
 * @module
 */
import {
  type Cookie,
  COOKIE_OPTIONS,
  isCookie,
  SatchelCookie,
} from "../../core/cookie.ts";
import { isAhead } from "../../core/lifetime.ts";
import { checkOptions, type OptionNames } from "../../core/options.ts";
import type {
  AnyEngine,
  SessionCookieOptions,
  SessionStorage,
  SessionValues,
  StorageOptions,
} from "../contract.ts";
import { BoundStorage } from "./bound_storage.ts";
import { EngineRecords } from "./engine_records.ts";
import { EnginePolicy } from "./engine_policy.ts";
import { RecordStorage } from "./record_storage.ts";
import { checkUnknownIds } from "./remix_options.ts";
import type { Sessions } from "./sessions.ts";

/** The names of the options of every storage. */
export const STORAGE_OPTIONS: OptionNames<StorageOptions> = {
  absoluteTimeout: true,
  cookie: true,
  engineTimeout: true,
  idleTimeout: true,
  maxPerOwner: true,
  migrate: true,
  notBefore: true,
  now: true,
  onEvent: true,
  owner: true,
  rolling: true,
  schema: true,
  touchAfter: true,
};

/** The names of the options that a factory has beside those of every storage. */
export type OwnOptions<Options> = OptionNames<
  Omit<Options, keyof StorageOptions>
>;

/**
 * Checks that all options of a storage are known.
 *
 * @param own The names of the factory's own options.
 * @throws {TypeError} If one is unknown. For an option of the cookie, the message says where to write it.
 */
export function checkStorageOptions(
  options: object,
  own: Readonly<Record<string, true>> = {},
): void {
  const known = { ...STORAGE_OPTIONS, ...own };
  const given = Object(options) as Record<string, unknown>;
  if ("parse" in given || "serialize" in given) {
    throw new TypeError(
      "Cannot use cookie: it must have name, isSigned, parse and serialize; create it with createCookie, and pass it as { cookie }",
    );
  }
  for (const name of ["name", ...Object.keys(COOKIE_OPTIONS)]) {
    if (given[name] === undefined || Object.hasOwn(known, name)) continue;
    throw new TypeError(
      `Cannot create storage: ${name} is an option of the cookie; write { cookie: { ${name}: … } }`,
    );
  }
  checkUnknownIds(given);
  checkOptions("create storage", options, { ...known, useUnknownIds: true });
}

/**
 * Creates a storage on an engine.
 *
 * @param own The names of the factory's own options.
 * @param create Creates the engine. Its errors are not wrapped.
 * @param ttl The default lifetime, in seconds, if the storage has one.
 * @throws {TypeError} If an option is unknown or malformed, or not supported by the engine.
 * @throws {RangeError} If a timeout, `ttl` or the cookie's `maxAge` or `expires` is out of range.
 */
export function engineStorage<Data, FlashData>(
  options: StorageOptions<Data>,
  own: Readonly<Record<string, true>>,
  create: (policy: EnginePolicy) => AnyEngine,
  ttl?: number,
): SessionStorage<Data, FlashData> {
  checkStorageOptions(options, own);
  const policy = new EnginePolicy(options, ttl);
  const records = new EngineRecords(create(policy), policy);
  return createStorage(new RecordStorage(records), options.cookie);
}

/**
 * Checks that exactly one of `client` and `url` is given.
 *
 * @throws {TypeError} If both or neither are given.
 */
export function checkClientOrUrl(client: unknown, url: unknown): void {
  if ((client === undefined) !== (url === undefined)) return;
  throw new TypeError(
    `Cannot create storage: pass either client or url, received ${
      client === undefined ? "neither" : "both"
    }`,
  );
}

/** Binds sessions to the cookie that was given to the factory, or to the default cookie. */
export function createStorage<Data, FlashData>(
  sessions: Sessions<Data, FlashData>,
  cookie: Cookie | SessionCookieOptions | undefined,
): BoundStorage<Data, FlashData> {
  const selfContained = sessions.guarantees?.selfContained ?? false;
  return cookie === undefined
    ? new BoundStorage(sessions, sessionCookie({}, false), {
      byDefault: true,
      unsafe: selfContained,
    })
    : new BoundStorage(
      sessions,
      safeCookie(cookie, selfContained, sessions.now),
    );
}

/**
 * Binds a storage to a cookie that a middleware brings.
 *
 * @throws {TypeError} If the storage requires a signed cookie, and this one is not signed.
 */
export function bind<Data, FlashData>(
  storage: SessionValues<Data, FlashData>,
  cookie: Cookie,
): BoundStorage<Data, FlashData> {
  const selfContained = storage.guarantees?.selfContained ?? false;
  const sessions = storage instanceof BoundStorage
    ? storage.sessions
    : sessionsOf(storage);
  const own = safeCookie(cookie, selfContained, sessions.now);
  return storage instanceof BoundStorage
    ? storage.bind(own)
    : new BoundStorage(sessions, own);
}

/** Adapts another library's storage. */
function sessionsOf<Data, FlashData>(
  storage: SessionValues<Data, FlashData>,
): Sessions<Data, FlashData> {
  return {
    guarantees: storage.guarantees,
    read: async ({ value }) => await storage.read(value as string | null),
    save: async (session, options) => await storage.save(session, options),
  };
}

function safeCookie(
  cookie: Cookie | SessionCookieOptions,
  selfContained: boolean,
  now?: () => number,
): Cookie {
  const own = sessionCookie(cookie, selfContained);
  if (own instanceof SatchelCookie) checkLifetime(own, now ?? Date.now);
  if (!selfContained || own.isSigned) return own;
  throw new TypeError(
    `Cannot use cookie "${own.name}": a cookie storage requires secrets, or visitors could forge sessions; add secrets to the cookie`,
  );
}

/** Browsers do not keep a cookie longer, in seconds (RFC 6265bis, section 5.5). */
const MAX_AGE = 34_560_000;

/** Refuses a lifetime that a session's cookie cannot have. Other cookies may: applications delete cookies so. */
function checkLifetime(
  { name, lifetime }: SatchelCookie,
  now: () => number,
): void {
  if (lifetime === null) return;
  if (typeof lifetime === "number") {
    if (lifetime <= MAX_AGE) return;
    throw new RangeError(
      `Cannot use cookie "${name}": maxAge must be at most ${MAX_AGE} seconds (400 days), received ${lifetime}; write it in seconds, not in milliseconds`,
    );
  }
  if (isAhead(lifetime[0], now())) return;
  throw new RangeError(
    `Cannot use cookie "${name}": expires must be in the future, or each commit would clear the cookie; use maxAge for a lifetime that begins at each commit`,
  );
}

/** Creates a session's cookie. By default it is HttpOnly, and encrypted if it contains the session itself. */
function sessionCookie(
  cookie: Cookie | SessionCookieOptions,
  selfContained: boolean,
): Cookie {
  if (isCookie(cookie) && !(cookie instanceof SatchelCookie)) {
    if (selfContained && "isTyped" in cookie) {
      throw new TypeError(
        `Cannot use cookie "${cookie.name}": a typed cookie checks the data, and a cookie storage writes a text; pass the cookie that it is made of, and the schema to the storage`,
      );
    }
    return cookie;
  }
  if (
    typeof cookie !== "object" || "serialize" in cookie && !isCookie(cookie)
  ) {
    // A cookie of Remix 3. If it were taken for options, its secrets would be lost.
    throw new TypeError(
      "Cannot use cookie: it must have name, isSigned, parse and serialize; create it with createCookie",
    );
  }
  const { name = "__session", ...options } = cookie instanceof SatchelCookie
    ? { ...cookie.options, name: cookie.name }
    : cookie;
  const { httpOnly = true, format = "satchel", secrets = [] } = options;
  const encrypt = options.encrypt ??
    (selfContained && format === "satchel" && secrets.length > 0);
  const own = new SatchelCookie(name, { ...options, httpOnly, encrypt });
  if (cookie instanceof SatchelCookie) cookie.writeAs(own);
  return own as Cookie;
}
