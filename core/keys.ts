/**
 * Derives keys from secrets: one to sign and one to encrypt for each secret and cookie name.
 *
 * HMAC and HKDF run synchronously in JavaScript on every runtime. For the few hundred bytes of a cookie, Web Crypto
 * takes ten times as long, and native hash objects stall Deno's garbage collector. AES-GCM comes from `node:crypto`, or
 * from Web Crypto if the runtime does not have that; the bytes are the same.
 *
 * @module
 */
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { toBase64, toBase64Url, utf8, utf8Briefly } from "./bytes.ts";
import { builtin } from "./runtime.ts";

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

type Bytes = Uint8Array<ArrayBuffer>;

/** Authenticated encryption with one key. A message is the ciphertext, followed by its 16-byte tag. */
export interface Aead {
  seal(nonce: Bytes, plain: Bytes, bound: Bytes): Awaitable<Bytes>;
  /** Returns `undefined` if the message is not authentic. */
  open(
    nonce: Bytes,
    message: Bytes,
    bound: Bytes,
  ): Awaitable<Bytes | undefined>;
}

/** A message authentication code with one key, for the UTF-8 bytes of a text. */
export interface Mac {
  sign(text: string): Bytes;
  verify(text: string, mac: Bytes): boolean;
}

/** The keys of one secret and one cookie. */
export interface CookieKey {
  /** Two characters that identify the secret. */
  readonly id: string;
  readonly mac: Mac;
  readonly aead: Aead;
}

const TAG = 16;

/** The SHA-256 of an id, as base64url: the key of its record in an engine. */
export function hashId(id: string): string {
  fresh._cloneInto(hasher);
  return toBase64Url(hasher.update(utf8Briefly(id)).digest());
}

/**
 * The key of an owner's list. It never equals the key of an id, because ids do not contain quotation marks. JSON keeps
 * owners with lone surrogates apart, which UTF-8 would not.
 */
export function hashOwner(owner: string): string {
  return hashId(`owner ${JSON.stringify(owner)}`);
}

// Copying a fresh state into an existing hasher is cheaper than creating a hasher.
const fresh = sha256.create();
const hasher = fresh.clone();

/**
 * Derives the keys of a secret and the cookie `name`, for the format `satchel`, version 1 (HKDF-SHA-256, RFC 5869). The
 * name is part of the derivation, so that a value is rejected in another cookie.
 */
export function cookieKey(secret: string, name: string): CookieKey {
  const derive = (purpose: string, length: number) =>
    hkdf(
      sha256,
      utf8(secret),
      undefined,
      utf8(`satchel/1/${purpose}/${name}`),
      length,
    ) as Bytes;
  let aead: Aead | undefined;
  return {
    id: toBase64Url(derive("id", 2)).slice(0, 2),
    mac: createMac(derive("sign", 32)),
    get aead() {
      return aead ??= createAead(derive("seal", 32));
    },
  };
}

/** HMAC-SHA-256 (RFC 2104) with `key`. */
export function createMac(key: Bytes): Mac {
  // The two blocks of the padded key are hashed once. Each message starts from a copy of that state.
  const keyed = hmac.create(sha256, key);
  const scratch = keyed.clone();
  const sign = (text: string) => {
    keyed._cloneInto(scratch);
    return scratch.update(utf8Briefly(text)).digest() as Bytes;
  };
  return {
    sign,
    verify: (text, mac) =>
      mac.length === keyed.outputLen && timingSafeEqual(sign(text), mac),
  };
}

/** AES-256-GCM (NIST SP 800-38D) with `key`. */
export function createAead(key: Bytes): Aead {
  const native = builtin<NodeCrypto>("node:crypto");
  return native ? nodeAead(key, native) : webAead(key);
}

/** The part of `node:crypto` that encryption uses. */
export interface NodeCrypto {
  createCipheriv(algorithm: string, key: Bytes, nonce: Bytes): NodeCipher & {
    getAuthTag(): Uint8Array;
  };
  createDecipheriv(
    algorithm: string,
    key: Bytes,
    nonce: Bytes,
    options: { authTagLength: number },
  ): NodeCipher & { setAuthTag(tag: Bytes): unknown };
}

interface NodeCipher {
  setAAD(bound: Bytes): unknown;
  update(bytes: Bytes): Uint8Array;
  final(): Uint8Array;
}

/** AES-256-GCM by `node:crypto`: synchronous. */
export function nodeAead(key: Bytes, native: NodeCrypto): Aead {
  return {
    seal(nonce, plain, bound) {
      const cipher = native.createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(bound);
      const message = new Uint8Array(plain.length + TAG);
      message.set(cipher.update(plain));
      cipher.final();
      message.set(cipher.getAuthTag(), plain.length);
      return message;
    },
    open(nonce, message, bound) {
      const end = message.length - TAG;
      if (end < 0) return undefined;
      try {
        const cipher = native.createDecipheriv("aes-256-gcm", key, nonce, {
          authTagLength: TAG,
        });
        cipher.setAuthTag(message.subarray(end));
        cipher.setAAD(bound);
        const plain = cipher.update(message.subarray(0, end));
        cipher.final();
        return plain as Bytes;
      } catch {
        return undefined;
      }
    },
  };
}

/** AES-256-GCM by Web Crypto: on every runtime, but asynchronous. */
export function webAead(key: Bytes): Aead {
  let imported: Promise<CryptoKey> | undefined;
  const ready = () =>
    imported ??= crypto.subtle.importKey("raw", key, "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
  return {
    async seal(iv, plain, additionalData) {
      const algorithm = { name: "AES-GCM", iv, additionalData };
      return new Uint8Array(
        await crypto.subtle.encrypt(algorithm, await ready(), plain),
      );
    },
    async open(nonce, message, additionalData) {
      // Copies, because another cookie may overwrite these bytes while the key is awaited.
      const iv = nonce.slice();
      const copy = message.slice();
      const algorithm = { name: "AES-GCM", iv, additionalData };
      try {
        return new Uint8Array(
          await crypto.subtle.decrypt(algorithm, await ready(), copy),
        );
      } catch {
        return undefined;
      }
    },
  };
}

/** The signature of the older formats: HMAC-SHA-256 with the secret as the key, in base64 without padding. */
export function legacyMac(secret: string): {
  sign(text: string): string;
  verify(text: string, signature: string): boolean;
} {
  const mac = createMac(utf8(secret));
  const sign = (text: string) => toBase64(mac.sign(text)).slice(0, 43);
  return {
    sign,
    verify(text, signature) {
      const expected = utf8(sign(text));
      const given = utf8(signature);
      return expected.length === given.length &&
        timingSafeEqual(expected, given);
    },
  };
}
