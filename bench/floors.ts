/**
 * Floors: what nobody can leave out. They read a cookie of one known name by its place, check it, and parse its JSON;
 * on a change they write JSON, protect it once, and make one `Set-Cookie`. They do not check the value's form, have no
 * deadline and no flash, and rotate no secret.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomFillSync,
  timingSafeEqual,
} from "node:crypto";
import { hmac } from "./hmac_wasm.ts";
import {
  type Kind,
  SECRET,
  type Subject,
  useProperties,
  type Visit,
} from "./visit.ts";

const NAME = "session=";
const ATTRIBUTES = "; Path=/; HttpOnly; SameSite=Lax";
const KEY = Buffer.from(SECRET);
// From bytes, Node 24 makes such a key in each call, which takes four times as long as encrypting.
const NODE_KEY = "Deno" in globalThis ? KEY : createSecretKey(KEY);

/** How a floor keeps the text of a session in a cookie's value. */
interface Keeper {
  /** The text; undefined if the value was not made by `close`. */
  open(value: string): string | undefined;
  /** The cookie's value. */
  close(text: string, value: string): string;
}

function floor(name: string, kind: Kind, { open, close }: Keeper): Subject {
  return {
    name,
    kind,
    floor: true,
    handle(visit: Visit) {
      const value = visit.cookie?.slice(NAME.length) ?? "";
      const text = value === "" ? undefined : open(value);
      const session = text === undefined ? {} : JSON.parse(text);
      if (!useProperties(visit, session)) return "";
      return NAME + close(JSON.stringify(session), value) + ATTRIBUTES;
    },
  };
}

function signed(sign: (text: string) => Uint8Array): Keeper {
  return {
    open(value) {
      const dot = value.lastIndexOf(".");
      const text = value.slice(0, dot);
      const mac = Buffer.from(value.slice(dot + 1), "base64url");
      if (mac.length !== 32 || !timingSafeEqual(mac, sign(text))) return;
      return Buffer.from(text, "base64url").toString();
    },
    close(text) {
      const encoded = Buffer.from(text).toString("base64url");
      const mac = Buffer.from(sign(encoded).buffer).toString("base64url");
      return `${encoded}.${mac}`;
    },
  };
}

const byNode = (text: string) =>
  new Uint8Array(createHmac("sha256", NODE_KEY).update(text).digest());

const sealed: Keeper = {
  open(value) {
    const bytes = Buffer.from(value, "base64url");
    if (bytes.length < 28) return;
    const decipher = createDecipheriv(
      "aes-256-gcm",
      NODE_KEY,
      bytes.subarray(0, 12),
    );
    decipher.setAuthTag(bytes.subarray(-16));
    try {
      return decipher.update(bytes.subarray(12, -16), undefined, "utf8") +
        decipher.final("utf8");
    } catch {
      return;
    }
  },
  close(text) {
    const nonce = randomFillSync(Buffer.allocUnsafe(12));
    const cipher = createCipheriv("aes-256-gcm", NODE_KEY, nonce);
    return Buffer.concat([
      nonce,
      cipher.update(text, "utf8"),
      cipher.final(),
      cipher.getAuthTag(),
    ]).toString("base64url");
  },
};

function memory(): Keeper {
  const texts = new Map<string, string>();
  return {
    open: (id) => texts.get(id),
    close(text, id) {
      const key = texts.has(id) ? id : crypto.randomUUID();
      texts.set(key, text);
      return key;
    },
  };
}

/** Makes the floors. */
export function floors(): Subject[] {
  return [
    floor("floor, WebAssembly", "signed", signed(hmac(KEY))),
    floor("floor, node:crypto", "signed", signed(byNode)),
    floor("floor, AES-GCM", "sealed", sealed),
    // Its id is not signed: a text for each id, and nothing else.
    floor("floor, a Map", "memory", memory()),
  ];
}
