/**
 * Derives keys from secrets: one to sign and one to encrypt for each secret and cookie name.
 *
 * HMAC and HKDF run synchronously on every runtime. AES-GCM comes from `node:crypto`, or from Web Crypto if the runtime
 * does not have that; the bytes are the same.
 *
 * @module
 */
import type { Awaitable } from "./awaitable.ts";
import { bytesOf, sized, utf8 } from "./bytes.ts";
import { builtin, isDeno } from "./runtime.ts";
import { createHmac, hmacKey, sha256 } from "./sha256.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Authenticated encryption with one key. A message is the nonce of 12 bytes, the ciphertext, and a tag of 16 bytes. */
export interface Aead {
  /** The next call may overwrite the message. */
  seal(nonce: Bytes, plain: Bytes, bound: Bytes): Awaitable<Bytes>;
  /** Returns `undefined` if the message is not authentic. */
  open(message: Bytes, bound: Bytes): Awaitable<Bytes | undefined>;
}

/** A message authentication code with one key, for the UTF-8 bytes of a text. */
export interface Mac {
  /** The code, as base64url or, with a legacy key, as base64 without padding. */
  sign(text: string): string;
  /** Compares in constant time. */
  verify(text: string, code: string): boolean;
}

/** The keys of one secret and one cookie. */
export interface CookieKey {
  /** Two characters that identify the secret. */
  readonly id: string;
  /** What precedes an encrypted value. */
  readonly head: string;
  /** The bytes of `head`, which are authenticated with the value. */
  readonly bound: Bytes;
  readonly mac: Mac;
  readonly aead: Aead;
}

/** The length of a code: 32 bytes as base64 without padding. */
export const MAC_LENGTH = 43;

/** The length of a nonce. */
export const NONCE = 12;
const TAG = 16;

/** The SHA-256 of an id, as base64url: the key of its record in an engine. */
export function hashId(id: string): string {
  return sha256(id);
}

/**
 * The key of an owner's list. It never equals the key of an id, because ids do not contain quotation marks. JSON keeps
 * owners with lone surrogates apart, which UTF-8 would not.
 */
export function hashOwner(owner: string): string {
  return hashId(`owner ${JSON.stringify(owner)}`);
}

/**
 * Derives the keys of a secret and the cookie `name`, for the format `satchel`, version 1 (HKDF-SHA-256, RFC 5869). The
 * name is part of the derivation, so that a value is rejected in another cookie.
 */
export function cookieKey(secret: string, name: string): CookieKey {
  // Extract without a salt, and expand to one block at most.
  const extracted = bytesOf(createHmac(new Uint8Array(0))(secret));
  const expand = createHmac(extracted);
  const derive = (purpose: string) =>
    expand(`satchel/1/${purpose}/${name}\x01`);
  const id = derive("id").slice(0, 2);
  const head = `e1${id}.`;
  let aead: Aead | undefined;
  return {
    id,
    head,
    bound: utf8(head),
    mac: createMac(createHmac(bytesOf(derive("sign")))),
    get aead() {
      return aead ??= createAead(bytesOf(derive("seal")));
    },
  };
}

function createMac(sign: (text: string) => string): Mac {
  return { sign, verify: (text, code) => areEqual(sign(text), code) };
}

/** Compares texts in a time that does not depend on where they differ. */
export function areEqual(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let differences = 0;
  for (let i = 0; i < a.length; i++) {
    differences |= a.charCodeAt(i) ^ b.charCodeAt(i);
  }
  return differences === 0;
}

/** AES-256-GCM (NIST SP 800-38D) with `key`. */
export function createAead(key: Bytes): Aead {
  const native = builtin<NodeCrypto>("node:crypto");
  return native ? nodeAead(key, native) : webAead(key);
}

/** The part of `node:crypto` that encryption uses. */
export interface NodeCrypto {
  createSecretKey(key: Bytes): NodeKey;
  createCipheriv(
    algorithm: string,
    key: Bytes | NodeKey,
    nonce: Bytes,
  ): NodeCipher & { getAuthTag(): Uint8Array };
  createDecipheriv(
    algorithm: string,
    key: Bytes | NodeKey,
    nonce: Bytes,
    options: { authTagLength: number },
  ): NodeCipher & { setAuthTag(tag: Bytes): unknown };
}

interface NodeKey {
  readonly type: string;
}

interface NodeCipher {
  setAAD(bound: Bytes): unknown;
  update(bytes: Bytes): Uint8Array;
  final(): Uint8Array;
}

/** AES-256-GCM by `node:crypto`: synchronous. */
export function nodeAead(bytes: Bytes, native: NodeCrypto): Aead {
  // From bytes, Node 24 makes such a key in each call, which takes four times as long as encrypting. Deno is faster with
  // bytes.
  const key = isDeno() ? bytes : native.createSecretKey(bytes);
  const scratch = new Uint8Array(4096);
  return {
    seal(nonce, plain, bound) {
      const cipher = native.createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(bound);
      const message = sized(scratch, NONCE + plain.length + TAG);
      message.set(nonce);
      message.set(cipher.update(plain), NONCE);
      cipher.final();
      message.set(cipher.getAuthTag(), NONCE + plain.length);
      return message;
    },
    open(message, bound) {
      const end = message.length - TAG;
      if (end < NONCE) return undefined;
      const nonce = message.subarray(0, NONCE);
      try {
        const cipher = native.createDecipheriv("aes-256-gcm", key, nonce, {
          authTagLength: TAG,
        });
        cipher.setAuthTag(message.subarray(end));
        cipher.setAAD(bound);
        const plain = cipher.update(message.subarray(NONCE, end));
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
    async seal(nonce, given, additionalData) {
      // Copies, because another cookie may overwrite these bytes while the key is awaited.
      const iv = nonce.slice();
      const plain = given.slice();
      const algorithm = { name: "AES-GCM", iv, additionalData };
      const sealed = await crypto.subtle.encrypt(
        algorithm,
        await ready(),
        plain,
      );
      const message = new Uint8Array(NONCE + sealed.byteLength);
      message.set(iv);
      message.set(new Uint8Array(sealed), NONCE);
      return message;
    },
    async open(message, additionalData) {
      // Copies, as above.
      const iv = message.slice(0, NONCE);
      const copy = message.slice(NONCE);
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
export function legacyMac(secret: string): Mac {
  const sign = createHmac(hmacKey(secret));
  return createMac((text) =>
    sign(text).replaceAll("-", "+").replaceAll("_", "/")
  );
}
