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

/** Functions that encode a text for a header, and decode it. */
export interface Coder {
  readonly encode?: ((text: string) => string) | undefined;
  readonly decode?: ((text: string) => string | undefined) | undefined;
}

/**
 * A format whose text is encoded in the header.
 *
 * @param name The cookie's name, for the error's message.
 */
export function coded(
  format: Format,
  name: string,
  { encode, decode }: Coder,
): Format {
  if (!encode && !decode) return format;
  return {
    encode: (value) =>
      after(
        format.encode(value),
        (text) => encode ? encoded(text, name, encode, COOKIE_TEXT) : text,
      ),
    decode(text) {
      const whole = decode ? decoded(text, decode) : text;
      return whole === undefined ? undefined : format.decode(whole);
    },
  };
}

/** What a cookie's value can contain (RFC 6265, section 4.1.1), and quotes, which browsers keep. */
const COOKIE_TEXT = /^[!-+\--:<-\[\]-~]*$/;
/** Text of one byte a character. */
const BYTES = /^[\0-\xff]*$/;

/** @throws {TypeError} If the application's function does not return what is allowed. */
function encoded(
  text: string,
  name: string,
  encode: (text: string) => string,
  allowed: RegExp,
): string {
  const result: unknown = encode(text);
  if (typeof result === "string" && allowed.test(result)) return result;
  throw new TypeError(
    `Cannot serialize cookie "${name}": encode must return printable ASCII without spaces and ,;\\; end it with encodeURIComponent`,
  );
}

/** `undefined` if the application's function throws: the text is a client's. */
function decoded(
  text: string,
  decode: (text: string) => string | undefined,
): string | undefined {
  try {
    const result: unknown = decode(text);
    return typeof result === "string" ? result : undefined;
  } catch {
    return undefined;
  }
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
  { encode, decode }: Coder = {},
): Format {
  const json = format === "react-router";
  let derived: readonly Mac[] | undefined;
  const keys = () => derived ??= secrets.map(legacyMac);

  function decodePayload(base64: string): Decoded | undefined {
    const bytes = fromBase64(base64);
    const text = bytes &&
      (json || !decode
        ? fromUtf8(bytes)
        : decoded(percentEncoded(bytes), decode));
    if (text === undefined) return undefined;
    const found = json ? fromJson(text) : { value: text };
    return found && { ...found, legacy: true };
  }

  const plain: Format = {
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
      const payload = toBase64(
        json || !encode
          ? utf8(text)
          // Remix 3 stores one byte for each character, and for each `%XX`.
          : latin1(encoded(text, name, (t) => unescape(encode(t)), BYTES)),
      );
      const [key] = keys();
      return key ? `${payload}.${key.sign(payload)}` : payload;
    },
    decode(whole) {
      if (secrets.length === 0) return decodePayload(whole);
      const dot = whole.lastIndexOf(".");
      if (dot < 0) return undefined;
      const payload = whole.slice(0, dot);
      const signature = whole.slice(dot + 1);
      for (const key of keys()) {
        if (!key.verify(payload, signature)) continue;
        const found = decodePayload(payload);
        return found && { ...found, current: key === keys()[0] };
      }
      return undefined;
    },
  };
  if (!json) return plain;
  return coded(plain, name, {
    encode: encode ?? encodeURIComponent,
    decode: decode ?? percentDecode,
  });
}

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** What `decode` of Remix 3 receives: other bytes than those of letters, digits and `*+-./@_` as `%xx`. */
function percentEncoded(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return escape(text).replace(/%../g, (hex) => hex.toLowerCase());
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
