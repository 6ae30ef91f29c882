/**
 * The test vectors, on any runtime: sealed by Web Crypto and by `node:crypto`, and all that needs neither.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { builtin } from "../../core/runtime.ts";
import { fromBase64Url, toBase64Url, utf8 } from "../../core/bytes.ts";
import {
  type Format,
  type LegacyFormat,
  legacyFormat,
  satchelFormat,
} from "../../core/formats.ts";
import {
  type Aead,
  cookieKey,
  createAead,
  hashId,
  nodeAead,
  type NodeCrypto,
  webAead,
} from "../../core/keys.ts";
import type { TestFunction } from "../../conformance/mod.ts";
import keys from "../vectors/keys.json" with { type: "json" };
import legacy from "../vectors/legacy.json" with { type: "json" };
import records from "../vectors/records.json" with { type: "json" };
import satchel from "../vectors/satchel.json" with { type: "json" };

type Bytes = Uint8Array<ArrayBuffer>;

/** Registers what a row of the matrix promises. */
export function registerVectors(
  test: TestFunction,
  row: "webCrypto" | "nodeCrypto",
  title: string,
): void {
  test(`${title}: every sealed vector is made and opened, byte for byte`, async () => {
    const native = builtin<NodeCrypto>("node:crypto");
    let tried = 0;
    for (const { secret, name, seal } of keys) {
      const key = unhex(seal);
      const aead = row === "webCrypto"
        ? webAead(key)
        : nodeAead(key, native as NodeCrypto);
      tried += await trySealed(aead, secret, name);
    }
    assertEquals(tried, satchel.filter(({ kind }) => kind === "e1").length);
  });

  test(`${title}: the library takes it where it is the faster one`, async () => {
    const [vector] = keys;
    const aead = createAead(unhex(vector?.seal ?? ""));
    const sealed = aead.seal(new Uint8Array(12), utf8("a"), utf8("b"));
    const awaited = sealed instanceof Promise;
    await sealed;
    assertEquals(awaited, builtin("node:crypto") === undefined);
    if (row === "nodeCrypto") assert(!awaited);
  });

  if (row === "nodeCrypto") return;
  test(`${title}: every other vector is read and written`, async () => {
    for (const { kind, name, secret, json, text } of satchel) {
      const sealed = kind === "e1";
      const protection = sealed ? "sealed" : secret ? "signed" : "none";
      const format = satchelFormat(name, secret ? [secret] : [], protection);
      await tryFormat(format, json, text, !sealed);
    }
    for (const { format: name, secret, json, text } of legacy) {
      const secrets = secret === null ? [] : [secret];
      const format = legacyFormat(name as LegacyFormat, "n", secrets);
      await tryFormat(format, json, text, true);
    }
    for (const { secret, name, id } of keys) {
      assertEquals(cookieKey(secret, name).id, id, `key ${id} of ${name}`);
    }
    assertEquals(hashId(records.id), records.key);
  });
}

async function trySealed(
  aead: Aead,
  secret: string,
  name: string,
): Promise<number> {
  let tried = 0;
  for (const vector of satchel) {
    if (vector.kind !== "e1" || vector.secret !== secret) continue;
    if (vector.name !== name) continue;
    const nonce = unhex(vector.nonce ?? "");
    const head = utf8(vector.text.slice(0, 5));
    const message = await aead.seal(nonce, utf8(vector.payload), head);
    const text = toBase64Url(message);
    assertEquals(text, vector.text.slice(5), `sealing ${vector.text}`);
    const body = fromBase64Url(text)?.slice() as Bytes;
    const opened = await aead.open(body, head);
    const plain = opened && new Uint8Array(opened);
    assertEquals(plain, utf8(vector.payload), `opening ${vector.text}`);
    body[12] = body.at(12) ? 0 : 1;
    const forged = await aead.open(body, head);
    assertEquals(forged, undefined, `opening ${vector.text}, a bit changed`);
    tried++;
  }
  return tried;
}

async function tryFormat(
  format: Format,
  json: string,
  text: string,
  same: boolean,
): Promise<void> {
  const value = JSON.parse(json);
  assertEquals((await format.decode(text))?.value, value);
  const encoded = await format.encode(value);
  if (same) assertEquals(encoded, text);
  assertEquals((await format.decode(encoded))?.value, value);
}

function unhex(text: string): Bytes {
  return Uint8Array.from(
    text.match(/../g) ?? [],
    (pair) => parseInt(pair, 16),
  );
}
