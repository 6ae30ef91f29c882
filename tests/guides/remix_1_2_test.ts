// The snippets of the guide to sessions of Remix 1 and 2. See the table in README.md.
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { redirect } from "react-router";
import {
  createArcTableSessionStorage,
  createCloudflareKVSessionStorage,
  createCookie,
  createCookieSessionStorage,
  createFileSessionStorage,
  createMemorySessionStorage,
  createSession,
  createSessionStorage,
  createWorkersKVSessionStorage,
  isSession,
  type SessionCookieOptions,
  type SessionStorage,
} from "../../mod.ts";
import { architectEnvironment } from "../engines/_architect.ts";
import {
  PACKAGES as DYNAMODB_PACKAGES,
  startDynamoDB,
} from "../engines/_dynamodb.ts";
import { withPackages } from "../engines/_packages.ts";
import { PACKAGES as KV_PACKAGES, startWorkerd } from "../engines/_workerd.ts";
import { rowName } from "../_row.ts";
import { stopTime } from "./_clock.ts";
import { assertVisit, IDA, readingRoom } from "./_reading_room.ts";
import { type Args, json, type RouteModule, serveRoutes } from "./_routes.ts";
import { GONE, partsOf, Visitor } from "./_visitor.ts";

/** Shared by the routes of the first three snippets: one storage, whose cookie has every option. */
function sessions(more: SessionCookieOptions = {}): SessionStorage {
  return createCookieSessionStorage({
    cookie: {
      name: "__reading",
      domain: "library.example",
      httpOnly: true,
      maxAge: 60,
      path: "/",
      sameSite: "lax",
      secrets: ["vellum"],
      secure: true,
      ...more,
    },
  });
}

const ATTRIBUTES = [
  "Domain=library.example",
  "HttpOnly",
  "Path=/",
  "SameSite=Lax",
  "Secure",
];

/** A visitor of the library's site, or of a subdomain. */
function reader(
  storage = sessions(),
  origin = "https://library.example",
): Visitor {
  return new Visitor(serveRoutes(readingRoom(storage)), origin);
}

Deno.test("Remix 1–2, Using Sessions 1: a cookie with every option is sent to its domain, over HTTPS only, for a minute", async () => {
  using clock = stopTime();
  const visitor = reader(sessions(), "https://rooms.library.example");
  const { text, setCookies } = await visitor.send("/desk", IDA);
  assertEquals(text, "ida reads");
  const [cookie, attributes] = partsOf(setCookies[0]);
  assertMatch(cookie, /^__reading=[\w.-]+$/);
  assertEquals(attributes, [...ATTRIBUTES, "Max-Age=60"].sort());
  const [, value = ""] = visitor.cookies().split("=");

  clock.pass(59);
  assertEquals((await visitor.open("/")).text, "ida reads");
  clock.pass(1);
  assertEquals((await visitor.open("/")).text, "An empty chair");
  visitor.plant("__reading", value);
  assertEquals((await visitor.open("/")).text, "An empty chair");

  for (const origin of ["http://library.example", "https://other.example"]) {
    const elsewhere = reader(sessions(), origin);
    await elsewhere.send("/desk", IDA);
    assertEquals(elsewhere.cookies(), "", rowName(origin));
  }
});

Deno.test("Remix 1–2, Using Sessions 1: expires in place of maxAge is one date for all sessions, and beside maxAge it is ignored", async () => {
  using clock = stopTime();
  const expires = new Date(Date.now() + 60_000);
  const beside = reader(sessions({ expires }));
  const alone = reader(sessions({ expires, maxAge: undefined }));

  clock.pass(30);
  const dated = await alone.send("/desk", IDA);
  assertEquals(
    partsOf(dated.setCookies[0])[1],
    [...ATTRIBUTES, `Expires=${expires.toUTCString()}`].sort(),
  );
  const timed = await beside.send("/desk", IDA);
  assertEquals(
    partsOf(timed.setCookies[0])[1],
    [...ATTRIBUTES, "Max-Age=60"].sort(),
  );

  const look = () =>
    Promise.all(
      [alone, beside].map(async (visitor) => (await visitor.open("/")).text),
    );
  clock.pass(29);
  assertEquals(await look(), ["ida reads", "ida reads"]);
  clock.pass(1);
  assertEquals(await look(), ["An empty chair", "ida reads"]);
  // The guide warns of this: the date is fixed, so after it nobody can sign in.
  assertEquals((await alone.send("/desk", IDA)).text, "An empty chair");
  assertEquals((await beside.send("/desk", IDA)).text, "ida reads");
});

Deno.test("Remix 1–2, Using Sessions 2: a wrong password shows an error once, the right one signs in, and then the login page redirects", async () => {
  const visitor = reader();
  assertEquals((await visitor.open("/desk")).text, "Your card, please");
  assertEquals(visitor.cookies(), "", "looking at the form leaves no cookie");

  const refused = await visitor.send("/desk", { ...IDA, pin: "1852" });
  assertEquals(
    [refused.path, refused.text],
    ["/desk", "The desk does not know this card"],
  );
  assertEquals((await visitor.open("/desk")).text, "Your card, please");
  assertEquals((await visitor.open("/")).text, "An empty chair");

  assertEquals((await visitor.send("/desk", IDA)).text, "ida reads");
  assertEquals((await visitor.open("/desk")).path, "/");
});

Deno.test("Remix 1–2, Using Sessions 3: a logout redirects to the login and removes the cookie", async () => {
  const visitor = reader();
  await visitor.send("/desk", IDA);
  const left = await visitor.send("/door");
  assertEquals([left.path, left.text], ["/desk", "Your card, please"]);
  assertEquals(
    partsOf(left.setCookies[0]),
    ["__reading=", [...ATTRIBUTES, GONE].sort()],
    "the cookie is cleared for its domain and path",
  );
  assertEquals(visitor.cookies(), "");
  assertEquals((await visitor.open("/")).text, "An empty chair");
  // A visitor who is not signed in can sign out too.
  assertEquals((await reader().send("/door")).path, "/desk");
});

Deno.test("Remix 1–2, isSession 1: a session is recognized, and a similar object is not", () => {
  const session = createSession({ lamp: "green" }, "desk-4");
  assert(isSession(session));
  assertEquals([session.id, session.get("lamp")], ["desk-4", "green"]);
  assertFalse(isSession({ id: "desk-4", data: { lamp: "green" } }));
});

/** A database client, and a storage that uses it. */
function createSqliteStorage(
  { cookie, file, table }: {
    cookie: SessionCookieOptions;
    file: string;
    table: string;
  },
): SessionStorage & { rows(): Record<string, unknown>[] } {
  const db = new DatabaseSync(file);
  db.exec(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, data, until)`);
  const storage = createSessionStorage({
    cookie,
    async createData(data, expires) {
      const { lastInsertRowid } = db
        .prepare(`INSERT INTO ${table} (data, until) VALUES (?, ?)`)
        .run(JSON.stringify(data), expires.getTime());
      return `reader-${lastInsertRowid}`;
    },
    async readData(id) {
      const row = db.prepare(`SELECT data FROM ${table} WHERE id = ?`)
        .get(rowid(id));
      return row ? JSON.parse(String(row["data"])) : null;
    },
    async updateData(id, data, expires) {
      db.prepare(`UPDATE ${table} SET data = ?, until = ? WHERE id = ?`)
        .run(JSON.stringify(data), expires.getTime(), rowid(id));
    },
    async deleteData(id) {
      db.prepare(`DELETE FROM ${table} WHERE id = ?`).run(rowid(id));
    },
  });
  const rowid = (id: string) => id.replace("reader-", "");
  const rows = () => db.prepare(`SELECT data, until FROM ${table}`).all();
  return Object.assign(storage, { rows });
}

Deno.test("Remix 1–2, createSessionStorage 1: the cookie's id names a row in the database, which expires with the cookie", async () => {
  using clock = stopTime();
  const storage = createSqliteStorage({
    file: ":memory:",
    table: "readers",
    cookie: { name: "__session", maxAge: 600, secrets: ["vellum"] },
  });
  const visitor = new Visitor(serveRoutes(readingRoom(storage)));
  assertEquals((await visitor.open("/desk")).text, "Your card, please");
  assertEquals(storage.rows(), [], "a visitor who looks costs no row");

  await visitor.send("/desk", { ...IDA, pin: "0" });
  assertEquals(storage.rows().map(({ data }) => JSON.parse(String(data))), [
    {},
  ], "the message was shown, and is out of the database");

  clock.pass(60);
  await visitor.send("/desk", IDA);
  assertEquals(storage.rows().map((row) => ({ ...row })), [
    { data: '{"reader":"ida"}', until: Date.now() + 600_000 },
  ]);
  const leaving = visitor.cookies();
  await visitor.send("/door");
  assertEquals(storage.rows(), []);
  visitor.plant("__session", leaving.slice("__session=".length));
  assertEquals((await visitor.open("/")).text, "An empty chair");
});

Deno.test("Remix 1–2, createSessionStorage 2: a cookie without secrets carries the id, and an unknown id is an empty session", async () => {
  const storage = createSqliteStorage({
    file: ":memory:",
    table: "visits",
    cookie: { name: "__session", sameSite: "lax" },
  });
  const app = serveRoutes(readingRoom(storage));
  const [set, cleared] = await assertVisit(new Visitor(app));
  assertMatch(set, /^__session=[^;]+;.* SameSite=Lax/);
  assertMatch(cleared, /^__session=;/);

  const stranger = new Visitor(app);
  stranger.plant("__session", "reader-77");
  assertEquals((await stranger.open("/")).text, "An empty chair");
  await stranger.send("/desk", IDA);
  assertNotEquals(stranger.cookies(), "__session=reader-77");
  assertEquals(storage.rows().length, 1);
});

Deno.test("Remix 1–2, createCookieSessionStorage 1: the session is kept in the cookie, and an edited cookie is an empty session", async () => {
  const { getSession, commitSession, destroySession } =
    createCookieSessionStorage({
      cookie: { name: "__session", secrets: ["papyrus"], sameSite: "lax" },
    });
  const storage = { getSession, commitSession, destroySession };
  const app = serveRoutes(readingRoom(storage));
  const visitor = new Visitor(app);
  const { setCookies } = await visitor.send("/desk", IDA);
  assertMatch(setCookies[0] ?? "", /; SameSite=Lax/);
  assertEquals((await visitor.open("/")).text, "ida reads");

  const [, value = ""] = visitor.cookies().split("=");
  for (let i = 0; i < value.length; i += 7) {
    const other = value[i] === "A" ? "B" : "A";
    visitor.plant("__session", value.slice(0, i) + other + value.slice(i + 1));
    assertEquals((await visitor.open("/")).text, "An empty chair", rowName(i));
  }
});

Deno.test("Remix 1–2, createMemorySessionStorage 1: the session is kept on the server, and a cookie of createCookie carries its id", async () => {
  const sessionCookie = createCookie("__session", {
    secrets: ["papyrus"],
    sameSite: true,
  });
  const restart = () => createMemorySessionStorage({ cookie: sessionCookie });
  const app = serveRoutes(readingRoom(restart()));
  const [set] = await assertVisit(new Visitor(app));
  assertMatch(set, /; SameSite=Strict/);
  assertEquals(set.includes("ida"), false);

  const visitor = new Visitor(app);
  await visitor.send("/desk", IDA);
  const later = new Visitor(serveRoutes(readingRoom(restart())));
  later.plant("__session", visitor.cookies().slice("__session=".length));
  assertEquals((await later.open("/")).text, "An empty chair");
});

Deno.test("Remix 1–2, createFileSessionStorage 1: a session survives a restart, and may be larger than a cookie", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const sessionCookie = createCookie("__session", {
      secrets: ["papyrus"],
      sameSite: true,
    });
    const start = () =>
      createFileSessionStorage({ dir, cookie: sessionCookie });
    await assertVisit(new Visitor(serveRoutes(readingRoom(start()))));

    const { getSession, commitSession } = start();
    const notes = "ex libris ".repeat(1000);
    const session = await getSession();
    session.set("notes", notes);
    const visitor = new Visitor(async () =>
      new Response("noted", {
        headers: { "Set-Cookie": await commitSession(session) },
      })
    );
    await visitor.open("/");
    assert(visitor.cookies().length < 200);
    const restarted = await start().getSession(visitor.cookies());
    assertEquals(restarted.get("notes"), notes);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

await withPackages(
  "Workers KV, as Remix's guide has it",
  KV_PACKAGES,
  startWorkerd,
  ({ kv, keys }) => {
    Deno.test("Remix 1–2, createCloudflareKVSessionStorage 1: the session is kept in the KV namespace, and the cookie carries its id", async () => {
      const sessionCookie = createCookie("__session", {
        secrets: ["papyrus"],
        sameSite: true,
      });
      const { getSession, commitSession, destroySession } =
        createCloudflareKVSessionStorage({ kv, cookie: sessionCookie });
      const storage = { getSession, commitSession, destroySession };
      const app = serveRoutes(readingRoom(storage));
      const [set] = await assertVisit(new Visitor(app));
      assertMatch(set, /; SameSite=Strict/);
      assertEquals(await keys(), []);
      const visitor = new Visitor(app);
      await visitor.send("/desk", IDA);
      assertEquals((await keys()).length, 1);
      // The storage's other name works on the same sessions.
      const renamed = createWorkersKVSessionStorage({
        kv,
        cookie: sessionCookie,
      });
      const session = await renamed.getSession(visitor.cookies());
      assertEquals(session.get("reader"), "ida");
    });
  },
);

/** The parts of a table's declaration that Architect reads: its name, its key, and the TTL's attribute. */
function declared(text: string): { table: string; idx: string; ttl: string } {
  const [, table = "", attributes = ""] =
    text.match(/^(\w+)\n((?: +\S+ +\S+\n)+)/m) ?? [];
  const named = (type: string) =>
    attributes.split("\n").map((line) => line.trim().split(/ +/))
      .find((words) => words[1] === type)?.[0] ?? "";
  return { table, idx: named("*String"), ttl: named("TTL") };
}

await withPackages(
  "DynamoDB by Architect, as Remix's guide has it",
  [...DYNAMODB_PACKAGES, "npm:@architect/functions@^8.1.10"],
  startDynamoDB,
  (local) => {
    Deno.test("Remix 1–2, createArcTableSessionStorage 1, 2: the session is kept in the table that the application declares, with its TTL", async () => {
      const { table, idx, ttl } = declared(`
# app.arc
sessions
  _idx *String
  _ttl TTL
`);
      await local.table(`arc-${table}`, idx);
      await using _ = architectEnvironment(local.port, [table]);
      const sessionCookie = createCookie("__session", {
        secrets: ["papyrus"],
        maxAge: 3600,
        sameSite: true,
      });
      const { getSession, commitSession, destroySession } =
        createArcTableSessionStorage({
          table: "sessions",
          idx: "_idx",
          ttl: "_ttl",
          cookie: sessionCookie,
        });
      const storage = { getSession, commitSession, destroySession };
      const app = serveRoutes(readingRoom(storage));
      const [set] = await assertVisit(new Visitor(app));
      assertMatch(set, /; Max-Age=3600; SameSite=Strict/);
      const before = Date.now() / 1000;
      await new Visitor(app).send("/desk", IDA);
      const { Items = [] } = await local.document.scan({
        TableName: "arc-sessions",
      });
      const live = Items.filter((item) => item[ttl] >= before + 3600);
      assertEquals(live.length, 1);
      assert(live[0]?.[idx]);
    });
  },
);

/** A page with a test's action and loader, and a cookie storage. */
function serveOne(
  page: (storage: SessionStorage) => RouteModule,
): Visitor {
  const storage = createCookieSessionStorage({
    cookie: { name: "__session", secrets: ["vellum"] },
  });
  return new Visitor(serveRoutes({ "/": page(storage) }));
}

Deno.test("Remix 1–2, Session API 1: an action reads the values of an earlier request", async () => {
  const visitor = serveOne(({ getSession, commitSession }) => ({
    async loader() {
      const session = await getSession();
      session.set("shelf", "atlases");
      return json(null, {
        headers: { "Set-Cookie": await commitSession(session) },
      });
    },
    async action({ request }) {
      const session = await getSession(request.headers.get("Cookie"));
      return [session.get("shelf"), session.has("ladder")];
    },
    page: (_, answer = []) => answer.join(" "),
  }));
  assertEquals((await visitor.send("/")).text, " false");
  assertEquals((await visitor.send("/")).text, "atlases false");
});

/** Each visit changes the session, and the page shows the result. */
function serveChanges(
  changes: ((
    session: Awaited<ReturnType<SessionStorage["getSession"]>>,
  ) => unknown)[],
): Visitor {
  return serveOne(({ getSession, commitSession }) => ({
    async loader({ request }: Args) {
      const session = await getSession(request.headers.get("Cookie"));
      const shown = changes.shift()?.(session);
      return json({ shown: shown ?? "nothing" }, {
        headers: { "Set-Cookie": await commitSession(session) },
      });
    },
    page: ({ shown }) => String(shown),
  }));
}

async function assertPages(
  visitor: Visitor,
  ...expected: string[]
): Promise<void> {
  const seen: string[] = [];
  while (seen.length < expected.length) {
    seen.push((await visitor.open("/")).text);
  }
  assertEquals(seen, expected);
}

Deno.test("Remix 1–2, session.has(key) 1: has() returns whether there is a value, and does not consume a message", async () => {
  const visitor = serveChanges([
    (session) => session.has("loan"),
    (session) => session.set("loan", "Emma"),
    (session) => session.has("loan"),
    (session) => session.flash("overdue", "two days"),
    (session) => session.has("overdue"),
    (session) => session.get("overdue"),
    (session) => session.has("overdue"),
  ]);
  await assertPages(
    visitor,
    ...["false", "nothing", "true", "nothing", "true", "two days", "false"],
  );
});

Deno.test("Remix 1–2, session.set(key, value) 1: a value can be read in later requests", async () => {
  const visitor = serveChanges([
    (session) => session.set("loan", "Emma"),
    (session) => session.get("loan"),
    (session) => session.get("loan"),
    (session) => session.set("loan", "Persuasion"),
    (session) => session.get("loan"),
  ]);
  await assertPages(
    visitor,
    ...["nothing", "Emma", "Emma", "nothing", "Persuasion"],
  );
});

Deno.test("Remix 1–2, session.flash(key, value) 1, 2: a message is shown after the redirect, and not again", async () => {
  const { getSession, commitSession } = createCookieSessionStorage({
    cookie: { name: "__session", secrets: ["vellum"] },
  });
  const shelf = new Map([["7", { title: "Emma" }]]);
  const takeBack = async (number = "") => shelf.get(number);
  const visitor = new Visitor(serveRoutes({
    "/books/:number/return": {
      async action({ request, params }) {
        const session = await getSession(request.headers.get("Cookie"));
        const book = await takeBack(params["number"]);
        session.flash("slip", `${book?.title} is back on its shelf`);
        return redirect("/hall", {
          headers: { "Set-Cookie": await commitSession(session) },
        });
      },
    },
    "/hall": {
      async loader({ request }) {
        const session = await getSession(request.headers.get("Cookie"));
        const slip = session.get("slip") || null;
        return json({ slip }, {
          headers: { "Set-Cookie": await commitSession(session) },
        });
      },
      page: ({ slip }) =>
        slip ? `<p class="slip">${slip}</p>` : "<p>The hall</p>",
    },
  }));
  const { path, text } = await visitor.send("/books/7/return");
  assertEquals(
    [path, text],
    ["/hall", '<p class="slip">Emma is back on its shelf</p>'],
  );
  assertEquals((await visitor.open("/hall")).text, "<p>The hall</p>");
});

Deno.test("Remix 1–2, session.get() 1: get() returns the value of an earlier request, or undefined", async () => {
  const visitor = serveChanges([
    (session) => String(session.get("name")),
    (session) => session.set("name", "Ida"),
    (session) => session.get("name"),
  ]);
  await assertPages(visitor, "undefined", "nothing", "Ida");
});

Deno.test("Remix 1–2, session.unset() 1, 2: unset() removes one value, and the others stay", async () => {
  const visitor = serveChanges([
    (session) => {
      session.set("name", "Ida");
      session.set("loan", "Emma");
    },
    (session) => session.unset("name"),
    (session) => `${session.has("name")} ${session.get("loan")}`,
  ]);
  await assertPages(visitor, "nothing", "nothing", "false Emma");
});
