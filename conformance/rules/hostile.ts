/**
 * HOSTILE: nothing that a client sends, or that befalls a record, does harm.
 *
 * @module
 */
import { alike } from "../trial/alike.ts";
import { blame, type Port, portOf } from "../trial/port.ts";
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Trial } from "../trial/trial.ts";
import { type Visitor, VisitorRequest } from "../trial/visitor.ts";
import { encode, forgeriesOf } from "./support/forgeries.ts";
import {
  DAMAGES,
  HOSTILE_KEYS,
  HOSTILE_VALUES,
  hostileHeaders,
} from "./support/hostile_values.ts";
import { provoke } from "./support/leaks.ts";
import { must, type Rule } from "./support/rule.ts";

export const hostile: readonly Rule[] = [
  must("HOSTILE-01", {
    sentence:
      "Any cookie reads as an empty session, quickly, without rejecting and without leaving a record.",
    why:
      "Anybody can send anything; it must not cost more than a visitor without a cookie does.",
    async check(t) {
      const visitor = await signedIn(t);
      const { storage } = visitor;
      const before = await storage.count();
      const usual = await timeOf(() => visitor.request());
      const inputs = hostileInputs(visitor);
      for (const { port, cookie, shown } of t.random.shuffle(inputs)) {
        t.note(`A sends ${shown}`);
        await isQuick(t, usual, async () => {
          const request = await read(t, visitor, port, cookie);
          isEmpty(t, request, cookie);
        });
      }
      t.equal(await storage.count(), before, "reading a cookie left a record");
      const next = await visitor.request();
      t.equal(next.get("userId"), "u1", "a stranger's cookie ended a session");
    },
  }),
  must("HOSTILE-02", {
    capabilities: ["namespaces"],
    sentence:
      "No cookie reads, writes or deletes anything outside the storage's namespace.",
    why:
      "One application's visitor would be let into another, or sign out its users.",
    async check(t) {
      const victim = await signedIn(t);
      const { storage } = victim;
      const records = await storage.records();
      const id = (await victim.request()).id;
      const value = valueOf(storage.port, victim.cookie);
      const attacker = await t.visitor(await t.open({}));
      await attacker.visit((r) => r.set("theme", "dark"));
      const targets = [id, value, ...records?.keys() ?? []].filter(Boolean);
      for (const name of targets) {
        for (const path of pathsTo(storage.namespace, name)) {
          for (const { port, cookie } of waysToSend(attacker, path)) {
            t.note("B sends a way to A's record"); // which holds A's id
            const request = await read(t, attacker, port, cookie);
            t.ok(!request.has("userId"), "it reads another namespace");
            request.set("userId", "u2");
            await blame("save", () => port.save(request.session));
            const leaving = await read(t, attacker, port, cookie);
            await blame("destroy", () => port.destroy(leaving.session));
          }
        }
      }
      const after = await storage.records();
      t.ok(
        alike(after && [...after], records && [...records]),
        "it writes or deletes in another namespace",
      );
      const next = await victim.request();
      t.equal(next.get("userId"), "u1", "it reached another namespace");
    },
  }),
  must("HOSTILE-03", {
    sentence:
      "Keys such as __proto__, constructor, get, id and cookie are plain data.",
    why:
      "A form field of that name would change the session's own workings, or every object's.",
    async check(t) {
      for (const key of HOSTILE_KEYS) {
        const visitor = await t.visitor();
        const first = await visitor.request();
        t.ok(!first.has(key), `a new session has ${key}`);
        t.equal(first.get(key), undefined, `a new session has ${key}`);
        const value = JSON.parse(`{"${key}":{"admin":true},"list":[1]}`);
        first.set(key, value);
        first.flash("notice", value);
        first.set("other", 1);
        await first.save();
        const next = await visitor.request();
        t.ok(next.has(key), `${key} is lost`);
        t.ok(alike(next.get(key), value), `${key} is changed`);
        t.ok(
          alike(next.get("notice"), value),
          `a flash with ${key} is changed`,
        );
        t.equal(next.get("other"), 1, `${key} harms another key`);
        next.unset(key);
        await next.save();
        const third = await visitor.request();
        t.ok(!third.has(key), `${key} stays after it was unset`);
        third.flash(key, "flash");
        await third.save();
        const last = await visitor.request();
        t.equal(last.get(key), "flash", `${key} is no plain key of a flash`);
        t.ok(!("admin" in {}), `${key} reaches the prototype of all objects`);
      }
    },
  }),
  must("HOSTILE-04", {
    capabilities: ["inspect"],
    sentence:
      "A record that is damaged, or that belongs to another visitor, reads as a new session, and a save then works.",
    why:
      "One bad record would fail every request of a visitor, or show them someone else's data.",
    async check(t) {
      for (const [way, damage] of DAMAGES.entries()) {
        const { damaged, empty = false, padding = false } = damage;
        const { visitor, id, records } = await lodge(t, await t.open({}));
        const { inspect } = visitor.storage;
        for (const [key, text] of records) {
          await inspect.write(key, damaged(text.trim()));
        }
        t.note(`A's record is damaged, in way ${way + 1}`);
        if (padding && (await visitor.request()).get("userId") === "u1") {
          continue;
        }
        await readsAsNew(t, visitor, empty ? undefined : id);
      }
      for (let i = 0; i < t.runs; i++) {
        const { visitor, records } = await lodge(t, await t.open({}));
        for (const [key, text] of records) {
          const at = t.random.int(text.length);
          const edited = text.slice(0, at) + t.random.pick([...'{}[]",0a']) +
            text.slice(at + t.random.int(3));
          await visitor.storage.inspect.write(key, edited);
        }
        t.note("A's record is edited");
        await visitor.visit((r) => r.set("visits", i));
        const next = await visitor.request();
        t.equal(next.get("visits"), i, "an edited record cannot be saved over");
      }
      const storage = await t.open({});
      const one = await lodge(t, storage, "u1");
      const two = await lodge(t, storage, "u2");
      const { inspect } = one.visitor.storage;
      if (one.records.size !== 1 || two.records.size !== 1) return;
      for (const [key] of one.records) {
        for (const [other, text] of two.records) {
          await inspect.write(other, one.records.get(key) ?? "");
          await inspect.write(key, text);
        }
      }
      t.note("their records are swapped");
      for (const { visitor, id } of [one, two]) {
        await readsAsNew(t, visitor, id);
      }
    },
  }),
  must("HOSTILE-05", {
    capabilities: ["selfContained"],
    sentence:
      "A cookie that was truncated, flipped or spliced, made without the key or with another one, or moved to another name that the target uses, yields no data.",
    why:
      "Whoever can write a cookie of their own can be any visitor of the site.",
    async check(t) {
      const visitor = await signedIn(t, "u1");
      const { storage } = visitor;
      if (!storage.port.http) {
        t.notApplicable(
          "it takes values without their cookie, and the cookie is what protects them",
        );
      }
      const name = nameOf(visitor);
      const value = valueOf(storage.port, visitor.cookie);
      const { id } = await visitor.request();
      const other = valueOf(storage.port, (await signedIn(t, "u2")).cookie);
      for (const [how, forged] of await forgeriesOf(t, value, other)) {
        t.note(`A sends a cookie that was ${how}`);
        const request = await visitor.request(`${name}=${forged}`);
        t.ok(!request.has("userId"), `a cookie that was ${how} yields data`);
        const what = `a cookie that was ${how} yields its id`;
        t.anotherId("HOSTILE-05", request, id, what);
      }
      const elsewhere = await signedIn(t, "u3", await t.open({}));
      const target = nameOf(elsewhere);
      if (target === name) {
        t.note("its cookies have one name; there is none to move one to");
        return;
      }
      const moved = await elsewhere.request(`${target}=${value}`);
      t.ok(!moved.has("userId"), "a cookie under another name yields data");
    },
  }),
  must("HOSTILE-06", {
    sentence:
      "Up to the declared size a record round-trips. Far beyond it, save rejects with an error that has a code or a class of its own, the same each time, and leaves the record as it was; just beyond it, one or the other.",
    why:
      "Data that is dropped because it is too large is lost without anybody knowing; and who cannot tell that error from others cannot tell the visitor what to do.",
    async check(t) {
      const {
        recordBytes = t.notApplicable("it declares no limits.recordBytes"),
      } = t.limits;
      const most = Math.floor(recordBytes * 0.95);
      for (const text of [t.random.word(most), "é".repeat(most / 2)]) {
        const visitor = await t.visitor();
        await visitor.visit((r) => r.set("text", text));
        const next = await visitor.request();
        t.ok(
          next.get("text") === text,
          "a record just under the limit is lost",
        );
      }
      for (const size of [recordBytes, recordBytes + 1]) {
        await keepsOrRefuses(t, t.random.word(size));
      }
      const visitor = await signedIn(t);
      const { cookie } = visitor;
      const before = await visitor.storage.records();
      const kinds = new Set<string>();
      const beyond = t.random.word(recordBytes * 2);
      const works: ((r: VisitorRequest) => void)[] = [
        (r) => r.set("text", beyond),
        (r) => r.flash("text", beyond),
        (r) => {
          r.set("a", beyond.slice(recordBytes));
          r.set("b", beyond.slice(0, recordBytes));
        },
      ];
      for (const work of works) {
        const request = await visitor.request();
        const error = await t.rejects(
          async () => {
            work(request);
            await request.save();
          },
          "a record far beyond the limit looks as if it was saved",
        );
        t.ok(error instanceof Error, "what it rejects with is no Error");
        kinds.add(kindOf(error));
        t.ok(visitor.cookie === cookie, "the rejected save sends a cookie");
        const after = await visitor.storage.records();
        t.ok(
          alike(after && [...after], before && [...before]),
          "the rejected save changed what is stored",
        );
        const next = await visitor.request();
        t.equal(next.get("userId"), "u1", "the rejected save lost the record");
        t.ok(!next.has("text") && !next.has("a"), "it was saved in part");
      }
      if (t.spares("HOSTILE-06")) return;
      t.ok(!kinds.has("Error"), "what it rejects with is like any other Error");
      t.equal(kinds.size, 1, "what it rejects with differs from time to time");
    },
  }),
  must("HOSTILE-07", {
    sentence: "Errors and logs hold no id, no cookie and no session data.",
    why:
      "Logs are read by many and kept for long; an id in them is a key to a visitor's session.",
    async check(t) {
      const marker = `secret${t.random.word(20)}`;
      const { secrets, texts } = await provoke(t, marker);
      for (const { what, text } of texts) {
        for (const [name, secret] of secrets) {
          t.ok(!text.includes(secret), `${what} holds ${name}`);
        }
      }
    },
  }),
];

/** Near the limit, nobody can tell from outside what a record takes; but what is saved is saved whole. */
async function keepsOrRefuses(t: Trial, text: string): Promise<void> {
  const visitor = await signedIn(t);
  const refused = await t.refuses(() =>
    visitor.visit((r) => r.set("text", text))
  );
  const next = await visitor.request();
  t.equal(next.get("userId"), "u1", "a record just over the limit is lost");
  t.ok(
    refused ? !next.has("text") : next.get("text") === text,
    "a record just over the limit is saved in part",
  );
}

/** What tells an error from others: its code, or its class. */
function kindOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return `${code ?? name}`;
}

async function signedIn(
  t: Trial,
  userId = "u1",
  storage?: OpenStorage,
): Promise<Visitor> {
  const visitor = await t.visitor(storage);
  await visitor.visit((r) => r.set("userId", userId));
  return visitor;
}

/** One cookie to send, one way to send it, and how the trace shows it. */
interface Input {
  readonly port: Port;
  readonly cookie: string;
  readonly shown: string;
}

/** A value in the session's cookie; and by itself, where the storage takes values too. */
function waysToSend(visitor: Visitor, value: string): Input[] {
  const { port, raw } = visitor.storage;
  const shown = show(value);
  if (!port.http) return [{ port, cookie: value, shown: `the value ${shown}` }];
  const name = nameOf(visitor);
  const inputs = [
    { port, cookie: `${name}=${value}`, shown: `the cookie ${shown}` },
    {
      port,
      cookie: `${name}=${encode(value)}`,
      shown: `the cookie ${shown}, encoded`,
    },
  ];
  const { read, save } = raw;
  if (typeof read !== "function" || typeof save !== "function") return inputs;
  const bare = portOf({
    read: (value) => read.call(raw, value),
    save: (session, options) => save.call(raw, session, options),
  });
  return [
    ...inputs,
    { port: bare, cookie: value, shown: `the value ${shown}` },
  ];
}

function hostileInputs(visitor: Visitor): Input[] {
  const { port } = visitor.storage;
  const inputs = HOSTILE_VALUES.flatMap((value) => waysToSend(visitor, value));
  const value = valueOf(port, visitor.cookie);
  const near = [`${value}x`, ` ${value}x`, value.slice(1), `${value}\0`];
  inputs.push(...near.flatMap((value) => waysToSend(visitor, value)));
  if (!port.http) return inputs;
  for (const cookie of hostileHeaders(nameOf(visitor))) {
    inputs.push({ port, cookie, shown: `the header ${show(cookie)}` });
  }
  return inputs;
}

async function read(
  t: Trial,
  visitor: Visitor,
  port: Port,
  cookie: string,
): Promise<VisitorRequest> {
  const session = await blame("reading a session", () => port.read(cookie));
  return new VisitorRequest(visitor, session, t.trace);
}

function isEmpty(t: Trial, request: VisitorRequest, cookie: string): void {
  t.ok(!request.has("userId"), "a made-up cookie reads as a session");
  t.equal(request.get("userId"), undefined, "a made-up cookie yields data");
  const { id } = request;
  t.ok(id.length < 20 || !cookie.includes(id), "the id it sent is adopted");
}

async function timeOf(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/** A busy machine may be slow once, but not three times. */
async function isQuick(
  t: Trial,
  usual: number,
  call: () => Promise<unknown>,
): Promise<void> {
  for (let i = 0; i < 3; i++) {
    if (await timeOf(call) < 500 + 20 * usual) return;
  }
  t.ok(false, "reading it takes far longer than reading a session");
}

/** Ways to name something in another namespace. */
function pathsTo(namespace: string, name: string): string[] {
  return [
    name,
    `${namespace}${name}`,
    `${namespace}/${name}`,
    `${namespace}:${name}`,
    `:${namespace}:${name}`,
    `../${namespace}/${name}`,
    `../../${namespace}/${name}`,
    `/${namespace}/${name}`,
    `..%2f${namespace}%2f${name}`,
    `..\\${namespace}\\${name}`,
    `{${namespace}}${name}`,
    `${namespace}*`,
    "*",
  ];
}

interface Lodged {
  readonly id: string;
  readonly records: ReadonlyMap<string, string>;
}

/** Signs a visitor in and finds what the engine holds of them. */
async function lodge(
  t: Trial,
  storage: OpenStorage,
  userId = "u1",
): Promise<Lodged & { visitor: Visitor }> {
  const { inspect } = storage;
  const before = await inspect.records();
  const visitor = await signedIn(t, userId, storage);
  const { id } = await visitor.request();
  const all = [...await inspect.records()];
  const records = new Map(all.filter(([key]) => !before.has(key)));
  if (records.size === 0) t.notRun("inspect does not show a saved session");
  return { visitor, id, records };
}

async function readsAsNew(
  t: Trial,
  visitor: Visitor,
  id: string | undefined,
): Promise<void> {
  const request = await visitor.request();
  t.ok(!request.has("userId"), "it reads as a session");
  t.equal(request.get("userId"), undefined, "it yields data");
  if (id !== undefined) {
    t.anotherId("HOSTILE-04", request, id, "the session keeps its id");
  }
  request.set("visits", 1);
  const sent = await request.save();
  t.equal(sent.kind, "cookie", "the save after it sends no cookie");
  const next = await visitor.request();
  t.equal(next.get("visits"), 1, "the save after it is lost");
}

function nameOf({ cookie }: Visitor): string {
  return cookie?.slice(0, cookie.indexOf("=")) ?? "";
}

function valueOf({ http }: Port, cookie: string | null): string {
  if (!http || cookie === null) return cookie ?? "";
  return cookie.slice(cookie.indexOf("=") + 1);
}

function show(text: string): string {
  const shown = text.length > 40
    ? `${text.slice(0, 40)}… (${text.length} characters)`
    : text;
  return JSON.stringify(shown);
}
