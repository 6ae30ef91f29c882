/**
 * The three formats of a cookie's value, which `docs/formats.md` specifies.
 *
 * @module
 */
import {
  fromBase64,
  fromBase64Url,
  fromUtf8,
  toBase64,
  toBase64Url,
  utf8,
  utf8Briefly,
} from "./bytes.ts";
import { after, type Awaitable } from "./awaitable.ts";
import { SessionError } from "./errors.ts";
import { encodeJson } from "./json.ts";
import {
  type CookieKey,
  cookieKey,
  legacyMac,
  type Mac,
  MAC_LENGTH,
  NONCE,
} from "./keys.ts";
import { typeOf } from "./options.ts";
import { randomBytes } from "./runtime.ts";

/** The formats of other libraries that a cookie can read and write. */
export type LegacyFormat = "react-router" | "remix";

/** How a cookie's value is protected. */
export type Protection = "none" | "signed" | "sealed";

/** An authentic value. */
export interface Decoded {
  readonly value: unknown;
  /** Whether it came in an older format. Those do not bind a value to its cookie's name. */
  readonly legacy?: boolean | undefined;
  /** Whether it was written with the first secret; absent without secrets. */
  readonly current?: boolean;
}

/** One format of one cookie. */
export interface Format {
  /** @throws {SessionError} If the value is not JSON: `unserializable`. */
  encode(value: unknown): Awaitable<string>;
  /** Returns `undefined` if the text is not authentic or not canonical. */
  decode(text: string): Awaitable<Decoded | undefined>;
}

/** The length of `s1`, the key's id and a dot. */
const HEAD = 5;

/**
 * The format `satchel`, version 1: `s1` (signed), `e1` (encrypted), and `u1` without secrets.
 *
 * An encrypted cookie does not read signed values; a signed cookie also reads encrypted ones.
 */
export function satchelFormat(
  name: string,
  secrets: readonly string[],
  protection: Protection,
): Format {
  if (protection === "none") return unsignedFormat(name);
  let derived: readonly CookieKey[] | undefined;
  const keys = () =>
    derived ??= secrets.map((secret) => cookieKey(secret, name));

  function encodeSigned(text: string): string {
    const [key] = keys() as [CookieKey];
    const signed = `s1${key.id}.${text}`;
    return `${signed}.${key.mac.sign(signed)}`;
  }

  function decodeSigned(text: string): Decoded | undefined {
    const dot = text.length - MAC_LENGTH - 1;
    if (text[dot] !== ".") return undefined;
    const signed = text.slice(0, dot);
    const code = text.slice(dot + 1);
    const at = keys().findIndex(({ id, mac }) =>
      text.startsWith(id, 2) && mac.verify(signed, code)
    );
    if (at < 0) return undefined;
    const decoded = fromPayload(fromBase64Url(signed.slice(HEAD)));
    return decoded && { value: decoded.value, current: at === 0 };
  }

  function encodeSealed(payload: string): Awaitable<string> {
    // Before the bytes: to derive keys overwrites them.
    const [{ head, bound, aead }] = keys() as [CookieKey];
    return after(
      aead.seal(randomBytes(NONCE), utf8Briefly(payload), bound),
      (message) => head + toBase64Url(message),
    );
  }

  /** @param from The first key to try. Rarely, two secrets have the same id. */
  function decodeSealed(
    text: string,
    from = 0,
  ): Awaitable<Decoded | undefined> {
    const at = keys().findIndex(({ id }, at) =>
      at >= from && text.startsWith(id, 2)
    );
    const message = at < 0 ? undefined : fromBase64Url(text.slice(HEAD));
    if (!message) return undefined;
    const { aead, bound } = keys()[at] as CookieKey;
    return after(
      aead.open(message, bound),
      (payload) => {
        if (!payload) return decodeSealed(text, at + 1);
        const decoded = fromPayload(payload);
        return decoded && { value: decoded.value, current: at === 0 };
      },
    );
  }

  return {
    encode(value) {
      const payload = toPayload(value, name);
      return protection === "sealed"
        ? encodeSealed(payload)
        : encodeSigned(toBase64Url(utf8Briefly(payload)));
    },
    decode(text) {
      if (text.charAt(4) !== ".") return undefined;
      if (text.startsWith("e1")) return decodeSealed(text);
      if (text.startsWith("s1") && protection === "signed") {
        return decodeSigned(text);
      }
      return undefined;
    },
  };
}

function unsignedFormat(name: string): Format {
  return {
    encode: (value) => "u1." + toBase64Url(utf8Briefly(toPayload(value, name))),
    decode: (text) =>
      text.startsWith("u1.")
        ? fromPayload(fromBase64Url(text.slice(3)))
        : undefined,
  };
}

// A payload is one letter and a text: `s` and a string, without the quotes and escapes of JSON, or `j` and JSON. A
// string with a lone surrogate is written as JSON, because UTF-8 cannot encode it.
function toPayload(value: unknown, name: string): string {
  return typeof value === "string" && value.isWellFormed()
    ? "s" + value
    : "j" + encodeJson(value, name);
}

function fromPayload(
  payload: Uint8Array | undefined,
): Decoded | undefined {
  const text = payload && fromUtf8(payload);
  if (text?.startsWith("s")) return { value: text.slice(1) };
  return text?.startsWith("j") ? fromJson(text.slice(1)) : undefined;
}

function fromJson(text: string): Decoded | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The formats of React Router and Remix 1–2 (percent-encoded JSON) and of Remix 3 (text), signed or not. */
export function legacyFormat(
  format: LegacyFormat,
  name: string,
  secrets: readonly string[],
): Format {
  const json = format === "react-router";
  let derived: readonly Mac[] | undefined;
  const keys = () => derived ??= secrets.map(legacyMac);

  function decodePayload(base64: string): Decoded | undefined {
    const bytes = fromBase64(base64);
    const text = bytes && fromUtf8(bytes);
    if (text === undefined) return undefined;
    const decoded = json ? fromJson(text) : { value: text };
    return decoded && { ...decoded, legacy: true };
  }

  return {
    encode(value) {
      if (!json && typeof value !== "string") {
        throw new TypeError(
          `Cannot serialize cookie "${name}": format "remix" requires a string, received ${
            typeOf(value)
          }`,
        );
      }
      if (!json && !String(value).isWellFormed()) {
        throw new SessionError(
          "unserializable",
          `Cannot serialize cookie "${name}": format "remix" cannot store a string with a lone surrogate`,
        );
      }
      const text = json ? encodeJson(value, name) : value as string;
      const payload = toBase64(utf8(text));
      const [key] = keys();
      const whole = key ? `${payload}.${key.sign(payload)}` : payload;
      return json ? encodeURIComponent(whole) : whole;
    },
    decode(text) {
      const whole = json ? percentDecode(text) : text;
      if (whole === undefined) return undefined;
      if (secrets.length === 0) return decodePayload(whole);
      const dot = whole.lastIndexOf(".");
      if (dot < 0) return undefined;
      const payload = whole.slice(0, dot);
      const signature = whole.slice(dot + 1);
      for (const key of keys()) {
        if (!key.verify(payload, signature)) continue;
        const decoded = decodePayload(payload);
        return decoded && { ...decoded, current: key === keys()[0] };
      }
      return undefined;
    },
  };
}

function percentDecode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text);
    // Encoding again rejects texts that are not canonical, such as `%2b`.
    return encodeURIComponent(decoded) === text ? decoded : undefined;
  } catch {
    return undefined;
  }
}
