/**
 * HOSTILE: malicious cookies and damaged records do no harm.
 *
 * @module
 */
import { alike } from "../trial/alike.ts";
import { barePort, blame, type Port } from "../trial/port.ts";
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Trial } from "../trial/trial.ts";
import { type Visitor, VisitorRequest } from "../trial/visitor.ts";
import { damage } from "./support/damage.ts";
import { encode, forgeriesOf } from "./support/forgeries.ts";
import {
  DAMAGES,
  HOSTILE_KEYS,
  HOSTILE_VALUES,
  hostileHeaders,
} from "./support/hostile_values.ts";
import { provoke } from "./support/leaks.ts";
import { damageEachField } from "./support/damaged_fields.ts";
import { must, type Rule } from "./support/rule.ts";

export const hostile: readonly Rule[] = [
  must("HOSTILE-01", {
    sentence:
      "Reading a made-up cookie quickly returns an empty session. It does not reject, and does not store a record.",
    why:
      "Anybody can send any cookie. It must not cost more than a visitor without a cookie.",
    async check(t) {
      const visitor = await signedIn(t);
      const { storage } = visitor;
      const before = await storage.count();
      const usual = await timeOf(() => visitor.request());
      const inputs = hostileInputs(visitor);
      for (const { port, cookie, shown } of t.cases(t.random.shuffle(inputs))) {
        t.note(`A sends ${shown}`);
        await isQuick(t, usual, async () => {
          const request = await read(t, visitor, port, cookie);
          isEmpty(t, request, cookie);
        });
      }
      t.equal(await storage.count(), before, "reading a cookie left a record");
      const next = await visitor.request();
      t.equal(
        next.get("userId"),
        "u1",
        "reading a made-up cookie ended a session",
      );
    },
  }),
  must("HOSTILE-02", {
    capabilities: ["namespaces"],
    sentence:
      "A cookie cannot read, write or delete anything outside the storage's namespace.",
    why:
      "Otherwise a visitor of one application can enter another, or sign out its users.",
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
        for (const path of t.cases(pathsTo(storage.namespace, name))) {
          for (
            const { port, cookie } of [
              ...waysToSend(attacker, path),
              ...await signedWay(attacker, path),
            ]
          ) {
            t.note("B sends a path to A's record"); // which holds A's id
            const request = await read(t, attacker, port, cookie);
            t.ok(!request.has("userId"), "a cookie reads another namespace");
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
        "a cookie writes or deletes in another namespace",
      );
      const next = await victim.request();
      t.equal(
        next.get("userId"),
        "u1",
        "a cookie changed a session in another namespace",
      );
    },
  }),
  must("HOSTILE-03", {
    sentence:
      "Keys such as __proto__, constructor, get, id and cookie are ordinary keys.",
    why:
      "Otherwise a form field of that name changes how the session works, or how every object works.",
    async check(t) {
      for (const key of t.cases(HOSTILE_KEYS)) {
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
        t.equal(next.get("other"), 1, `${key} changes another key`);
        next.unset(key);
        await next.save();
        const third = await visitor.request();
        t.ok(!third.has(key), `${key} is still there after unset`);
        third.flash(key, "flash");
        await third.save();
        const last = await visitor.request();
        t.equal(
          last.get(key),
          "flash",
          `${key} is not an ordinary key of a flash`,
        );
        t.ok(!("admin" in {}), `${key} reaches the prototype of all objects`);
      }
    },
  }),
  must("HOSTILE-04", {
    capabilities: ["inspect"],
    sentence:
      "Reading a record that is damaged, or that belongs to another visitor, returns a new session, which can be saved. A text that the engine refuses to hold is not tried.",
    why:
      "Otherwise one bad record fails every request of a visitor, or shows them the data of another.",
    async check(t) {
      let held = 0;
      for (const [way, kind] of t.cases([...DAMAGES.entries()])) {
        const { damaged, empty = false, padding = false } = kind;
        const { visitor, id, records } = await lodge(t, await t.open({}));
        const { inspect } = visitor.storage;
        t.note(`A's record is damaged, in way ${way + 1}`);
        const change = (text: string) => damaged(text.trim());
        if (!await damage(t, inspect, { records, change })) continue;
        held++;
        if (padding && (await visitor.request()).get("userId") === "u1") {
          continue;
        }
        await readsAsNew(t, visitor, empty ? undefined : id);
      }
      if (held === 0) {
        t.notApplicable("its engine refuses to hold a damaged record");
      }
      for (const i of t.cases(t.runs)) {
        const { visitor, records } = await lodge(t, await t.open({}));
        const change = (text: string) => {
          const at = t.random.int(text.length);
          return text.slice(0, at) + t.random.pick([...'{}[]",0a']) +
            text.slice(at + t.random.int(3));
        };
        t.note("A's record is edited");
        const { inspect } = visitor.storage;
        if (!await damage(t, inspect, { records, change })) continue;
        await visitor.visit((r) => r.set("visits", i));
        const next = await visitor.request();
        t.equal(
          next.get("visits"),
          i,
          "an edited record cannot be overwritten by a save",
        );
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
      "A cookie that was truncated, changed or combined from two, made without the key or with another key, or moved to another cookie name of the target, does not open a session.",
    why:
      "An attacker who can make a valid cookie can be any visitor of the site.",
    async check(t) {
      const visitor = await signedIn(t, "u1");
      const { storage } = visitor;
      if (!storage.port.http) {
        t.notApplicable(
          "it reads values without their cookie, and only the cookie is signed",
        );
      }
      const name = nameOf(visitor);
      const value = valueOf(storage.port, visitor.cookie);
      const { id } = await visitor.request();
      const other = valueOf(storage.port, (await signedIn(t, "u2")).cookie);
      for (
        const [how, forged] of t.cases(await forgeriesOf(t, value, other))
      ) {
        t.note(`A sends a cookie that was ${how}`);
        const request = await visitor.request(`${name}=${forged}`);
        t.ok(!request.has("userId"), `a cookie that was ${how} returns data`);
        const what = `a cookie that was ${how} returns its id`;
        t.anotherId("HOSTILE-05", request, id, what);
      }
      const elsewhere = await signedIn(t, "u3", await t.open({}));
      const target = nameOf(elsewhere);
      if (target === name) {
        t.note("its cookies all have the same name; moving one is not tried");
        return;
      }
      const moved = await elsewhere.request(`${target}=${value}`);
      t.ok(!moved.has("userId"), "a cookie under another name returns data");
    },
  }),
  must("HOSTILE-06", {
    sentence:
      "A record up to the declared size is returned unchanged. For a record far beyond it, save rejects, always with the same error code or class, and does not change the stored record. A record just beyond it may be stored or rejected.",
    why:
      "Data that is dropped because of its size is lost unnoticed. If the error cannot be recognised, the site cannot explain it to the visitor.",
    async check(t) {
      const {
        recordBytes = t.notApplicable("it does not declare limits.recordBytes"),
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
          "saving a record far beyond the limit resolves",
        );
        t.ok(
          error instanceof Error,
          "it rejects with a value that is not an Error",
        );
        kinds.add(kindOf(error));
        t.ok(visitor.cookie === cookie, "the rejected save sends a cookie");
        const after = await visitor.storage.records();
        t.ok(
          alike(after && [...after], before && [...before]),
          "the rejected save changed the stored records",
        );
        const next = await visitor.request();
        t.equal(next.get("userId"), "u1", "the rejected save lost the record");
        t.ok(
          !next.has("text") && !next.has("a"),
          "the record was saved in part",
        );
      }
      if (t.exemptsPart("HOSTILE-06")) return;
      t.ok(
        !kinds.has("Error"),
        "it rejects with a plain Error that has no code or class of its own",
      );
      t.equal(
        kinds.size,
        1,
        "it does not always reject with the same code or class",
      );
    },
  }),
  must("HOSTILE-07", {
    sentence: "Errors and logs do not contain ids, cookies or session data.",
    why:
      "Many people can read logs, and logs are kept for a long time. An id in a log opens a visitor's session.",
    async check(t) {
      const marker = `secret${t.random.word(20)}`;
      const { secrets, texts } = await provoke(t, marker);
      for (const { what, text } of texts) {
        for (const [name, secret] of secrets) {
          t.ok(!text.includes(secret), `${what} contains ${name}`);
        }
      }
    },
  }),
  must("HOSTILE-08", {
    since: "2026.2",
    capabilities: ["inspect"],
    sentence:
      "If any field of a stored record is missing or has another type or a senseless value, reading it returns the session or an empty one, which can be saved. A list of owners' sessions may reject with an error that has a code or class of its own.",
    why:
      "A record that was edited by hand, or that a faulty program wrote, must not fail every request of its visitor.",
    async check(t) {
      await damageEachField(t);
    },
  }),
  must("HOSTILE-09", {
    since: "2026.2",
    sentence:
      "A session that an application creates with the id of a stored session cannot change that session.",
    why:
      "Otherwise an application that takes an id from a request overwrites the session of another visitor.",
    async check(t) {
      const victim = await signedIn(t);
      const { storage } = victim;
      const createSession = storage.createSession ??
        t.notApplicable("open() did not return createSession");
      const { id } = await victim.request();
      if (id === "") t.notApplicable("its sessions do not have an id");
      for (const data of [{ userId: "u2" }, {}]) {
        const visitor = await t.visitor(storage);
        const session = createSession(data, id);
        const request = new VisitorRequest(visitor, session, t.trace);
        request.set("admin", true);
        const refused = await t.refuses(() => request.save());
        t.note(refused ? "the save is refused" : "the save resolves");
        await t.settle();
        const next = await victim.request();
        const what = "a session with the same id changes the stored one";
        t.equal(next.get("userId"), "u1", what);
        t.ok(!next.has("admin"), what);
      }
    },
  }),
];

/** Just above the limit, a save may succeed or fail, since the size of a record cannot be known from outside; but it must not be saved in part. */
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

/** What identifies an error: its code, or its class. */
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

/** A value in the session's cookie, and the value alone if the storage can read it. */
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
  const bare = barePort(raw);
  if (bare) {
    inputs.push({ port: bare, cookie: value, shown: `the value ${shown}` });
  }
  return inputs;
}

/** A value in a cookie that is signed as the site signs it, if the target can make one. */
async function signedWay(
  { storage: { port, cookieFor } }: Visitor,
  value: string,
): Promise<Input[]> {
  if (!cookieFor) return [];
  const cookie = await cookieFor(value);
  return [{ port, cookie, shown: `the signed cookie ${show(value)}` }];
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
  t.ok(!request.has("userId"), "a made-up cookie reads a session");
  t.equal(request.get("userId"), undefined, "a made-up cookie returns data");
  const { id } = request;
  t.ok(
    id.length < 20 || !cookie.includes(id),
    "the id in the cookie is adopted",
  );
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
  t.ok(
    false,
    "reading a made-up cookie takes far longer than reading a session",
  );
}

/** Cookie values that may refer to something in another namespace. */
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

/** Signs a visitor in and finds their record in the engine. */
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
  t.ok(!request.has("userId"), "a damaged or swapped record reads a session");
  t.equal(
    request.get("userId"),
    undefined,
    "a damaged or swapped record returns data",
  );
  if (id !== undefined) {
    t.anotherId(
      "HOSTILE-04",
      request,
      id,
      "a damaged or swapped record keeps its id",
    );
  }
  request.set("visits", 1);
  const sent = await request.save();
  t.equal(sent.kind, "cookie", "saving after a damaged record sends no cookie");
  const next = await visitor.request();
  t.equal(next.get("visits"), 1, "saving after a damaged record is lost");
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
