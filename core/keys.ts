/**
 * Keys made from secrets: one to sign and one to seal for each secret and cookie name.
 *
 * HMAC and HKDF run synchronously in JavaScript on every runtime: awaited Web Crypto costs ten times as much for a
 * cookie's few hundred bytes, and native hash objects stall Deno's garbage collector. AES-GCM comes from `node:crypto`
 * where the runtime has it, else from Web Crypto, with the same bytes.
 *
 * @module
 */
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { toBase64, toBase64Url, utf8, utf8Briefly } from "./bytes.ts";
import { builtin } from "./runtime.ts";

/** A value that is there already, or will be. */
export type Awaitable<T> = T | Promise<T>;

type Bytes = Uint8Array<ArrayBuffer>;

/** Authenticated encryption under one key. A message is ciphertext followed by its 16-byte tag. */
export interface Aead {
  seal(nonce: Bytes, plain: Bytes, bound: Bytes): Awaitable<Bytes>;
  /** `undefined` where the message is not authentic. */
  open(
    nonce: Bytes,
    message: Bytes,
    bound: Bytes,
  ): Awaitable<Bytes | undefined>;
}

/** A message authentication code under one key, over the UTF-8 bytes of a text. */
export interface Mac {
  sign(text: string): Bytes;
  verify(text: string, mac: Bytes): boolean;
}

/** What one secret gives one cookie. */
export interface CookieKey {
  /** Two characters that tell which secret a cookie was written with. */
  readonly id: string;
  readonly mac: Mac;
  readonly aead: Aead;
}

const TAG = 16;

/** The SHA-256 of an id, as base64url: the key under which an engine keeps its session. */
export function hashId(id: string): string {
  fresh._cloneInto(hasher);
  return toBase64Url(hasher.update(utf8Briefly(id)).digest());
}

/**
 * The key of an owner's index. No id has a quotation mark in it, so that none leads there; and as JSON, no two owners
 * become one in UTF-8, lone surrogates included.
 */
export function hashOwner(owner: string): string {
  return hashId(`owner ${JSON.stringify(owner)}`);
}

// Starting from a copy of a fresh state, into one that is there already, is cheaper than making a new one.
const fresh = sha256.create();
const hasher = fresh.clone();

/**
 * The keys that a secret gives the cookie `name` in the format `satchel`, version 1 (RFC 5869, HKDF-SHA-256).
 * The name is part of the derivation, so that a value moved to another cookie fails.
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

/** HMAC-SHA-256 (RFC 2104) under `key`. */
export function createMac(key: Bytes): Mac {
  // The padded key's two blocks are hashed once; each message starts from a copy of that state.
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

/** AES-256-GCM (NIST SP 800-38D) under `key`, by the fastest means the runtime has. */
export function createAead(key: Bytes): Aead {
  const native = builtin<NodeCrypto>("node:crypto");
  return native ? nodeAead(key, native) : webAead(key);
}

/** The part of `node:crypto` that sealing needs. */
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

/** AES-256-GCM by Web Crypto: on every runtime, but awaited. */
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
      // Copies: while the key is awaited, another cookie may be decoded into the same bytes.
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

/** The signature of the predecessors: HMAC-SHA-256 keyed with the secret itself, base64 without padding. */
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
