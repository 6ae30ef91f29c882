import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import * as node from "node:crypto";
import { Buffer } from "node:buffer";
import {
  cookieKey,
  createAead,
  hashId,
  hashOwner,
  legacyMac,
  nodeAead,
  type NodeCrypto,
  webAead,
} from "../../core/keys.ts";
import {
  type Format,
  type LegacyFormat,
  legacyFormat,
  satchelFormat,
} from "../../core/formats.ts";
import {
  decodeReactRouter,
  decodeRemix,
  encodeReactRouter,
  encodeRemix,
} from "../../core/plain.ts";
import { decodeRecord, encodeRecord, encodeTexts } from "../../core/record.ts";
import { rowName } from "../_row.ts";
import keys from "../vectors/keys.json" with { type: "json" };
import legacy from "../vectors/legacy.json" with { type: "json" };
import records from "../vectors/records.json" with { type: "json" };
import satchel from "../vectors/satchel.json" with { type: "json" };

type Bytes = Uint8Array<ArrayBuffer>;

const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Bytes => new Uint8Array(Buffer.from(text, "hex"));
const base64Url = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString("base64url");

/** Keys derived by `node:crypto`, as a second implementation. */
function deriveByNode(
  secret: string,
  name: string,
  purpose: string,
  length: number,
): Bytes {
  return new Uint8Array(
    node.hkdfSync("sha256", secret, "", `satchel/1/${purpose}/${name}`, length),
  );
}

async function deriveByWebCrypto(
  secret: string,
  name: string,
  purpose: string,
  length: number,
): Promise<Bytes> {
  const key = await crypto.subtle.importKey(
    "raw",
    utf8(secret),
    "HKDF",
    false,
    ["deriveBits"],
  );
  const info = utf8(`satchel/1/${purpose}/${name}`);
  const algorithm = {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info,
  };
  return new Uint8Array(
    await crypto.subtle.deriveBits(algorithm, key, length * 8),
  );
}

for (const { secret, name, id, sign, seal } of keys) {
  Deno.test(`cookieKey() derives the vector's keys, for the secret ${secret} and the cookie ${name}`, async () => {
    const lengths = { id: 2, sign: 32, seal: 32 };
    for (const [purpose, length] of Object.entries(lengths)) {
      assertEquals(
        hex(deriveByNode(secret, name, purpose, length)),
        hex(await deriveByWebCrypto(secret, name, purpose, length)),
        rowName(purpose),
      );
    }
    assertEquals(
      base64Url(deriveByNode(secret, name, "id", 2)).slice(0, 2),
      id,
    );
    assertEquals(hex(deriveByNode(secret, name, "sign", 32)), sign);
    assertEquals(hex(deriveByNode(secret, name, "seal", 32)), seal);

    const key = cookieKey(secret, name);
    assertEquals(key.id, id);
    const expected = node.createHmac("sha256", unhex(sign)).update("text ü")
      .digest("base64url");
    assertEquals(key.mac.sign("text ü"), expected);
    assert(key.mac.verify("text ü", expected));
    const nonce = new Uint8Array(12).fill(7);
    assertEquals(
      hex(await key.aead.seal(nonce, utf8("text"), utf8("bound"))),
      hex(await webAead(unhex(seal)).seal(nonce, utf8("text"), utf8("bound"))),
    );
  });
}

for (const vector of satchel) {
  const { kind, name, json, payload, text } = vector;
  const secrets = vector.secret === undefined ? [] : [vector.secret];
  const value = JSON.parse(json);

  Deno.test(`satchelFormat() reads and writes the ${kind} vector of ${json} in ${name} (${text.slice(0, 8)}…)`, async () => {
    const [secret = ""] = secrets;
    const bytes = utf8(payload);
    const id = base64Url(deriveByNode(secret, name, "id", 2)).slice(0, 2);
    let format: Format;
    if (kind === "u1") {
      assertEquals(text, `u1.${base64Url(bytes)}`);
      format = satchelFormat(name, [], "none");
    } else if (kind === "s1") {
      const head = `s1${id}.${base64Url(bytes)}`;
      const mac = node.createHmac(
        "sha256",
        deriveByNode(secret, name, "sign", 32),
      );
      assertEquals(text, `${head}.${mac.update(head).digest("base64url")}`);
      format = satchelFormat(name, secrets, "signed");
    } else {
      const nonce = unhex(vector.nonce ?? "");
      const raw = deriveByNode(secret, name, "seal", 32);
      const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [
        "encrypt",
      ]);
      const message = await crypto.subtle.encrypt(
        { name: "AES-GCM", iv: nonce, additionalData: utf8(`e1${id}.`) },
        key,
        bytes,
      );
      const body = Buffer.concat([nonce, new Uint8Array(message)]);
      assertEquals(text, `e1${id}.${base64Url(body)}`);
      const own = await cookieKey(secret, name).aead
        .seal(nonce, bytes, utf8(`e1${id}.`));
      assertEquals(hex(own), hex(body));
      format = satchelFormat(name, secrets, "sealed");
    }
    assertEquals((await format.decode(text))?.value, value);
    const written = await format.encode(value);
    assertEquals((await format.decode(written))?.value, value);
    if (kind === "e1") {
      assertEquals(written.length, text.length);
      assertEquals(written.slice(0, 5), text.slice(0, 5));
      assertNotEquals(written, text, "a nonce of its own");
    } else assertEquals(written, text);
  });
}

for (const { format: name, secret, json, text } of legacy) {
  Deno.test(`legacyFormat() reads and writes the ${name} vector of ${json}, ${secret ? "signed" : "unsigned"}`, async () => {
    const value = JSON.parse(json);
    const payload = Buffer.from(name === "remix" ? value : json).toString(
      "base64",
    );
    const mac = secret && node.createHmac("sha256", secret).update(payload)
      .digest("base64").replace("=", "");
    const whole = mac ? `${payload}.${mac}` : payload;
    assertEquals(text, name === "remix" ? whole : encodeURIComponent(whole));
    const format = legacyFormat(
      name as LegacyFormat,
      "n",
      secret ? [secret] : [],
    );
    assertEquals(await format.encode(value), text);
    assertEquals(
      await format.decode(text),
      secret ? { value, legacy: true, current: true } : { value, legacy: true },
    );
    if (secret) assertEquals(legacyMac(secret).sign(payload), mac);
  });
}

Deno.test("hashId() is SHA-256 as base64url", () => {
  assertEquals(hashId(records.id), records.key);
  for (const id of [records.id, "", "ü", "a".repeat(5000)]) {
    assertEquals(
      hashId(id),
      node.createHash("sha256").update(id).digest("base64url"),
      rowName(id),
    );
  }
});

const { created, saved, lifetime, span, authenticated } = records;
const { owner, expires, values, flashes, tags } = records;
const life = { created, saved, lifetime, span, authenticated };
const entries = {
  values: encodeTexts(Object.entries(values)),
  flashes: encodeTexts(Object.entries(flashes)),
  tags: new Map(Object.entries(tags)),
};
const draft = { ...life, entries, expires };

Deno.test("encodeRecord() and decodeRecord() agree with the vectors", () => {
  const check = records.key.slice(0, 8);
  assertEquals(hashOwner(records.ownerName), owner);
  assertEquals(encodeRecord(check, { ...draft, owner }), records.record);
  const decoded = { ...life, values, flashes, tags, owner: undefined };
  assertEquals<unknown>(
    decodeRecord(check, records.record),
    { ...decoded, owner },
  );
  const inner = encodeRecord("", draft);
  const deadline = expires.toString(36);
  assertEquals(`${records.id}.${deadline}.${inner}`, records.envelope);
  assertEquals<unknown>(decodeRecord("", inner), decoded);
});

Deno.test("encodeReactRouter() and encodeRemix() agree with the vectors", () => {
  assertEquals(encodeReactRouter(draft, true), records.reactRouter);
  assertEquals(encodeRemix(records.id, draft, true), records.remix);
  const decoded = { ...life, values, flashes, expires };
  assertEquals<unknown>(
    decodeReactRouter(JSON.parse(records.reactRouter), 0),
    decoded,
  );
  assertEquals<unknown>(
    decodeRemix(JSON.parse(records.remix), 0),
    { ...decoded, id: records.id },
  );
});

Deno.test("nodeAead() and webAead() write the same bytes and read each other's", async () => {
  const key = new Uint8Array(32).map((_, i) => i);
  const native = nodeAead(key, node as unknown as NodeCrypto);
  const web = webAead(key);
  const bound = utf8("bound");
  for (const size of [0, 1, 15, 16, 17, 300, 4096]) {
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const plain = new Uint8Array(size).map((_, i) => i);
    const message = await native.seal(nonce, plain, bound);
    assertEquals(message.length, 12 + size + 16, rowName(size));
    assertEquals(
      hex(message),
      hex(await web.seal(nonce, plain, bound)),
      rowName(size),
    );
    for (const aead of [native, web]) {
      assertEquals(
        hex(await aead.open(message, bound) ?? key),
        hex(plain),
        rowName(size, aead),
      );
      for (let length = 0; length < Math.min(message.length, 60); length++) {
        assertEquals(
          await aead.open(message.slice(0, length), bound),
          undefined,
          rowName(size, aead, length),
        );
      }
      for (const at of [0, 12, message.length - 1]) {
        const flipped = message.slice();
        flipped[at]! ^= 1;
        assertEquals(
          await aead.open(flipped, bound),
          undefined,
          rowName(size, aead, at),
        );
      }
      assertEquals(
        await aead.open(message, utf8("other")),
        undefined,
        rowName(size, aead),
      );
    }
  }
});

Deno.test("webAead() opens the right message, when the caller reuses its bytes in the meantime", async () => {
  const key = new Uint8Array(32).fill(1);
  const bound = utf8("bound");
  const nonces = [new Uint8Array(12).fill(2), new Uint8Array(12).fill(3)];
  const aead = webAead(key);
  const one = await aead.seal(nonces[0]!, utf8("one"), bound);
  const two = await aead.seal(nonces[1]!, utf8("two"), bound);
  // Another visitor's cookie is decoded into the same bytes while this one awaits its key.
  const message = one.slice();
  const opening = webAead(key).open(message, bound);
  message.set(two);
  assertEquals(new TextDecoder().decode(await opening), "one");
});

Deno.test("webAead() seals the right bytes, when the caller reuses them in the meantime", async () => {
  const aead = webAead(new Uint8Array(32).fill(1));
  const plain = utf8("one");
  const nonce = new Uint8Array(12);
  const sealing = aead.seal(nonce, plain, utf8("bound"));
  plain.set(utf8("two"));
  nonce.fill(1);
  assertEquals((await sealing).slice(0, 12), new Uint8Array(12));
  const opened = await aead.open(await sealing, utf8("bound"));
  assertEquals(new TextDecoder().decode(opened), "one");
});

Deno.test("createAead() seals by Web Crypto, when the runtime does not have node:crypto", async () => {
  const key = new Uint8Array(32).fill(1);
  const nonce = new Uint8Array(12);
  const native = createAead(key).seal(nonce, utf8("text"), utf8("bound"));
  assert(native instanceof Uint8Array, "here it has, and need not wait");
  const { getBuiltinModule } = process;
  try {
    Reflect.set(process, "getBuiltinModule", undefined);
    const web = createAead(key).seal(nonce, utf8("text"), utf8("bound"));
    assert(web instanceof Promise);
    assertEquals(hex(await web), hex(native));
    const format = satchelFormat("n", ["s3cr3t"], "sealed");
    assertEquals(
      (await format.decode(await format.encode("abc")))?.value,
      "abc",
    );
  } finally {
    Reflect.set(process, "getBuiltinModule", getBuiltinModule);
  }
});

Deno.test("satchelFormat() reads every secret, when several have the same key id", async () => {
  const id = (secret: string) =>
    base64Url(deriveByNode(secret, "n", "id", 2)).slice(0, 2);
  // 12 bits: two of a few hundred secrets share one.
  const seen = new Map<string, string>();
  let twins: string[] | undefined;
  for (let i = 0; !twins; i++) {
    const secret = `secret ${i}`;
    const twin = seen.get(id(secret));
    if (twin) twins = [secret, twin];
    seen.set(id(secret), secret);
  }
  for (const protection of ["signed", "sealed"] as const) {
    const both = satchelFormat("n", twins, protection);
    for (const secret of twins) {
      const one = satchelFormat("n", [secret], protection);
      assertEquals(
        (await both.decode(await one.encode("abc")))?.value,
        "abc",
        rowName(protection, secret),
      );
    }
    const [one, two] = twins.map((secret) =>
      satchelFormat("n", [secret], protection)
    );
    assertEquals(
      await one!.decode(await two!.encode("abc")),
      undefined,
      rowName(protection),
    );
  }
});

Deno.test("docs/formats.md contains the vectors", async () => {
  const docs = await Deno.readTextFile(
    new URL("../../docs/formats.md", import.meta.url),
  );
  const code = (text: string) =>
    assertStringIncludes(docs, text.includes("`") ? text : "`" + text + "`");
  for (const { id, sign, seal } of keys) [id, sign, seal].forEach(code);
  for (const { text, payload } of satchel) [text, payload].forEach(code);
  for (const { text } of legacy) code(text);
  const { id, key, record, envelope, reactRouter, remix } = records;
  for (const text of [id, key, record, envelope, reactRouter, remix]) {
    assertStringIncludes(docs, text, rowName(text));
  }
});
