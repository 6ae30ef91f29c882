// The snippets of the guide to sessions of React Router. See the table in README.md.
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { redirect } from "react-router";
import {
  createCookieSessionStorage,
  createSessionStorage,
  type SessionStorage,
} from "../../mod.ts";
import { rowName } from "../_row.ts";
import { stopTime } from "./_clock.ts";
import { json, type RouteModule, serveRoutes } from "./_routes.ts";
import { Visitor } from "./_visitor.ts";

const DAY = 24 * 60 * 60;
const env = { SECRET: "stoneware", STAGE: "production" };

/** The users, by email address. */
const potters = new Map([
  ["lucie@kiln.example", {
    id: "p1",
    name: "Lucie",
    word: "slip",
    role: "potter",
  }],
  ["hans@kiln.example", {
    id: "p2",
    name: "Hans",
    word: "glaze",
    role: "admin",
  }],
]);

async function findPotter(id: string) {
  return [...potters.values()].find((potter) => potter.id === id) ?? null;
}

async function checkWord(form: FormData) {
  const potter = potters.get(String(form.get("email")));
  return potter?.word === form.get("word") ? potter : null;
}

const LUCIE = { email: "lucie@kiln.example", word: "slip" };
const HANS = { email: "hans@kiln.example", word: "glaze" };

/** A page for users. Others are redirected to the login. */
function guard({ getSession }: SessionStorage): RouteModule {
  return {
    async loader({ request }) {
      const session = await getSession(request.headers.get("Cookie"));
      const potterId = session.get("potterId");
      if (!potterId) return redirect("/door");
      return { potter: await findPotter(potterId) };
    },
    page: ({ potter }) => `${potter.name}'s wheel`,
  };
}

function door({ getSession, commitSession }: SessionStorage): RouteModule {
  return {
    async action({ request }) {
      const form = await request.formData();
      const potter = await checkWord(form);
      if (!potter) return { error: "Nobody by that name works here" };
      const session = await getSession(request.headers.get("Cookie"));
      session.set("potterId", potter.id);
      return redirect("/studio", {
        headers: { "Set-Cookie": await commitSession(session) },
      });
    },
    page: (_, answer) => answer?.error ?? "The door",
  };
}

function exit({ getSession, destroySession }: SessionStorage): RouteModule {
  return {
    async action({ request }) {
      const session = await getSession(request.headers.get("Cookie"));
      return redirect("/", {
        headers: { "Set-Cookie": await destroySession(session) },
      });
    },
  };
}

function studio(
  storage: SessionStorage,
  more: Record<string, RouteModule> = {},
): Visitor {
  return new Visitor(serveRoutes({
    "/": { page: () => "The street" },
    "/door": door(storage),
    "/studio": guard(storage),
    "/exit": exit(storage),
    ...more,
  }));
}

function weekLong(stage: string): SessionStorage {
  return createCookieSessionStorage({
    cookie: {
      name: "__session",
      secrets: [env.SECRET],
      sameSite: "lax",
      path: "/",
      httpOnly: true,
      secure: stage === "production",
      maxAge: 60 * 60 * 24 * 7,
    },
  });
}

Deno.test("React Router, Creating a Session Storage 1: a visitor stays signed in for a week, over HTTPS only in production", async () => {
  using clock = stopTime();
  const visitor = studio(weekLong("production"));
  const { setCookies } = await visitor.send("/door", LUCIE);
  assertEquals(
    setCookies[0]?.split("; ").slice(1).sort(),
    ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Lax", "Secure"],
  );
  clock.pass(7 * DAY - 1);
  assertEquals((await visitor.open("/studio")).text, "Lucie's wheel");
  clock.pass(1);
  assertEquals((await visitor.open("/studio")).path, "/door");

  const developer = studio(weekLong("development"));
  const local = await developer.send("/door", LUCIE);
  assertEquals(local.setCookies[0]?.includes("Secure"), false);
});

Deno.test("React Router, Reading Session Data 1: a page shows the user, and redirects others to the login", async () => {
  const visitor = studio(weekLong(env.STAGE));
  const sent = await visitor.open("/studio");
  assertEquals([sent.path, sent.text], ["/door", "The door"]);
  assertEquals(visitor.cookies(), "", "being sent away leaves no cookie");
  await visitor.send("/door", LUCIE);
  assertEquals((await visitor.open("/studio")).text, "Lucie's wheel");
});

Deno.test("React Router, Setting Session Data 1: a wrong password shows an error on the page, and the right one signs in", async () => {
  const visitor = studio(weekLong(env.STAGE));
  const refused = await visitor.send("/door", { ...LUCIE, word: "glaze" });
  assertEquals(
    [refused.path, refused.text],
    ["/door", "Nobody by that name works here"],
  );
  assertEquals(visitor.cookies(), "");
  const { path, text } = await visitor.send("/door", LUCIE);
  assertEquals([path, text], ["/studio", "Lucie's wheel"]);
});

Deno.test("React Router, Destroying Sessions 1: a logout redirects to the front page and removes the cookie", async () => {
  const visitor = studio(weekLong(env.STAGE));
  await visitor.send("/door", LUCIE);
  const left = await visitor.send("/exit");
  assertEquals([left.path, left.text], ["/", "The street"]);
  assertMatch(left.setCookies[0] ?? "", /^__session=;.* Expires=.*1970/);
  assertEquals(visitor.cookies(), "");
  assertEquals((await visitor.open("/studio")).path, "/door");
});

Deno.test("React Router, Flash Messages 1: an action's message is shown once, after its redirect", async () => {
  const storage = weekLong(env.STAGE);
  const { getSession, commitSession } = storage;
  const pots = new Map([["9", "bowl"]]);
  const visitor = studio(storage, {
    "/pots/:id/smash": {
      async action({ request, params }) {
        pots.delete(params["id"] ?? "");
        const session = await getSession(request.headers.get("Cookie"));
        session.flash("notice", "The pot is in pieces");
        return redirect("/pots", {
          headers: { "Set-Cookie": await commitSession(session) },
        });
      },
    },
    "/pots": {
      async loader({ request }) {
        const session = await getSession(request.headers.get("Cookie"));
        const notice = session.get("notice");
        return json({ notice }, {
          headers: { "Set-Cookie": await commitSession(session) },
        });
      },
      page: ({ notice }) => `${notice ?? ""}/${[...pots.values()]}`,
    },
  });
  assertEquals((await visitor.open("/pots")).text, "/bowl");
  const { path, text } = await visitor.send("/pots/9/smash");
  assertEquals([path, text], ["/pots", "The pot is in pieces/"]);
  assertEquals((await visitor.open("/pots")).text, "/");
});

/** A database client like that of an object-relational mapper: changing a missing row is an error. */
class Visits {
  readonly #db = new DatabaseSync(":memory:");

  constructor() {
    this.#db.exec("CREATE TABLE visits (id TEXT PRIMARY KEY, body, ends)");
  }

  get rows(): { id: string; body: string; ends: Date }[] {
    return this.#db.prepare("SELECT * FROM visits").all().map((row) => ({
      id: String(row["id"]),
      body: String(row["body"]),
      ends: new Date(Number(row["ends"])),
    }));
  }

  async create({ data }: { data: { body: string; ends: Date } }) {
    const id = crypto.randomUUID();
    this.#db.prepare("INSERT INTO visits VALUES (?, ?, ?)")
      .run(id, data.body, data.ends.getTime());
    return { id };
  }

  async findUnique({ where }: { where: { id: string } }) {
    return this.rows.find(({ id }) => id === where.id) ?? null;
  }

  async update(
    { where, data }: {
      where: { id: string };
      data: { body: string; ends: Date };
    },
  ) {
    const { changes } = this.#db
      .prepare("UPDATE visits SET body = ?, ends = ? WHERE id = ?")
      .run(data.body, data.ends.getTime(), where.id);
    if (changes === 0) throw new Error("There is no record to update");
  }

  async delete({ where }: { where: { id: string } }) {
    const { changes } = this.#db.prepare("DELETE FROM visits WHERE id = ?")
      .run(where.id);
    if (changes === 0) throw new Error("There is no record to delete");
  }
}

function inDatabase(visits: Visits): SessionStorage {
  return createSessionStorage({
    cookie: {
      name: "__session",
      secrets: [env.SECRET],
      sameSite: "lax",
      httpOnly: true,
      secure: env.STAGE === "production",
    },
    async createData(data, expires) {
      const visit = await visits.create({
        data: { body: JSON.stringify(data), ends: expires },
      });
      return visit.id;
    },
    async readData(id) {
      const visit = await visits.findUnique({ where: { id } });
      if (!visit || visit.ends < new Date()) return null;
      return JSON.parse(visit.body);
    },
    async updateData(id, data, expires) {
      await visits.update({
        where: { id },
        data: { body: JSON.stringify(data), ends: expires },
      });
    },
    async deleteData(id) {
      await visits.delete({ where: { id } });
    },
  });
}

Deno.test("React Router, Database Session Storage 1: the row expires with the session, and an expired row is an empty session", async () => {
  using clock = stopTime();
  const visits = new Visits();
  const visitor = studio(inDatabase(visits));
  await visitor.open("/studio");
  assertEquals(visits.rows, []);
  await visitor.send("/door", LUCIE);
  assertEquals(visits.rows.map(({ body }) => body), ['{"potterId":"p1"}']);
  // The guide's cookie does not set a lifetime, so each save is for 14 days.
  assertEquals(visits.rows[0]?.ends, new Date(Date.now() + 14 * DAY * 1000));

  clock.pass(DAY);
  await visitor.send("/door", HANS);
  assertEquals((await visitor.open("/studio")).text, "Hans's wheel");
  assertEquals(visits.rows.length, 1, "the same visitor, the same row");
  assertEquals(visits.rows[0]?.ends, new Date(Date.now() + 14 * DAY * 1000));

  clock.pass(14 * DAY + 1);
  assertEquals((await visitor.open("/studio")).path, "/door");
  await visitor.send("/door", LUCIE);
  assertEquals((await visitor.open("/studio")).text, "Lucie's wheel");
  assertEquals(
    visits.rows.length,
    2,
    "the application has to delete the expired row",
  );

  const twice = [visitor.send("/exit"), visitor.send("/exit")];
  assertEquals((await Promise.all(twice)).map(({ text }) => text), [
    "The street",
    "The street",
  ]);
  assertEquals(visits.rows.length, 1);
  assertEquals((await visitor.open("/studio")).path, "/door");
});

/** Helpers for loaders that need a user or an administrator. */
function requirements({ getSession }: SessionStorage) {
  async function requirePotterId(request: Request, back = "/door") {
    const session = await getSession(request.headers.get("Cookie"));
    const potterId = session.get("potterId");
    if (!potterId) {
      const query = new URLSearchParams([["back", back]]);
      throw redirect(`/door?${query}`);
    }
    return potterId;
  }
  async function requirePotter(request: Request) {
    const potterId = await requirePotterId(request);
    const potter = await findPotter(potterId);
    if (!potter) throw redirect("/door");
    return potter;
  }
  async function requireAdmin(request: Request) {
    const potter = await requirePotter(request);
    if (potter.role !== "admin") {
      throw new Response("The kiln is hot", { status: 403 });
    }
    return potter;
  }
  return { requirePotter, requireAdmin };
}

function studioWithKiln(): Visitor {
  const storage = weekLong(env.STAGE);
  const { requirePotter, requireAdmin } = requirements(storage);
  return studio(storage, {
    "/studio": {
      loader: async ({ request }) => ({ potter: await requirePotter(request) }),
      page: ({ potter }) => `${potter.name}'s wheel`,
    },
    "/kiln": {
      loader: async ({ request }) => ({ potter: await requireAdmin(request) }),
      page: ({ potter }) => `${potter.name} fires`,
    },
  });
}

Deno.test("React Router, Session Utilities 1: some pages need a user, some an administrator", async () => {
  const visitor = studioWithKiln();
  const stranger = await visitor.open("/kiln");
  assertEquals([stranger.path, stranger.status], ["/door?back=%2Fdoor", 200]);
  await visitor.send("/door", LUCIE);
  const refused = await visitor.open("/kiln");
  assertEquals([refused.status, refused.text], [403, "The kiln is hot"]);
  await visitor.send("/door", HANS);
  assertEquals((await visitor.open("/kiln")).text, "Hans fires");

  // A deleted user is redirected to the login, even with a cookie.
  const account = potters.get(HANS.email);
  assert(account);
  potters.delete(HANS.email);
  assertEquals((await visitor.open("/kiln")).path, "/door");
  potters.set(HANS.email, account);
});

Deno.test("React Router, Session Utilities 2: a page that requires a user shows each user only their own data", async () => {
  const visitor = studioWithKiln();
  assertEquals((await visitor.open("/studio")).path, "/door?back=%2Fdoor");
  assertEquals(
    (await visitor.send("/door", LUCIE)).text,
    "Lucie's wheel",
  );
});

Deno.test("React Router, Session Timeout 1: half an hour without a request signs out, and an earlier request restarts the time", async () => {
  using clock = stopTime();
  const limit = 30 * 60 * 1000;
  const storage = weekLong(env.STAGE);
  const { getSession, commitSession } = storage;
  async function requireRecent(request: Request) {
    const session = await getSession(request.headers.get("Cookie"));
    const potterId = session.get("potterId");
    const seen = session.get("seen");
    if (!potterId) throw redirect("/door");
    const now = Date.now();
    if (seen && now - seen > limit) throw redirect("/door?late=yes");
    session.set("seen", now);
    return {
      potterId,
      headers: { "Set-Cookie": await commitSession(session) },
    };
  }
  const visitor = studio(storage, {
    "/studio": {
      async loader({ request }) {
        const { potterId, headers } = await requireRecent(request);
        return json({ potter: await findPotter(potterId) }, { headers });
      },
      page: ({ potter }) => `${potter.name}'s wheel`,
    },
  });
  assertEquals((await visitor.open("/studio")).path, "/door");
  await visitor.send("/door", LUCIE);
  for (let visit = 0; visit < 3; visit++) {
    clock.pass(30 * 60);
    assertEquals(
      (await visitor.open("/studio")).text,
      "Lucie's wheel",
      rowName(visit),
    );
  }
  clock.pass(30 * 60 + 1);
  assertEquals((await visitor.open("/studio")).path, "/door?late=yes");
  assertEquals((await visitor.open("/studio")).path, "/door?late=yes");
});

Deno.test("React Router, Remember Me 1: with it, a session lasts 30 days, and without it, one day", async () => {
  using clock = stopTime();
  const storage = weekLong(env.STAGE);
  const { getSession, commitSession } = storage;
  const visitors = ["on", ""].map((keep) => {
    const visitor = studio(storage, {
      "/door": {
        async action({ request }) {
          const form = await request.formData();
          const keep = form.get("keep") === "on";
          const potter = await checkWord(form);
          if (!potter) return { error: "Nobody by that name works here" };
          const session = await getSession(request.headers.get("Cookie"));
          session.set("potterId", potter.id);
          const maxAge = keep ? 60 * 60 * 24 * 30 : 60 * 60 * 24;
          return redirect("/studio", {
            headers: { "Set-Cookie": await commitSession(session, { maxAge }) },
          });
        },
        page: (_, answer) => answer?.error ?? "The door",
      },
    });
    return { visitor, form: { ...LUCIE, keep } };
  });
  const whereabouts = () =>
    Promise.all(
      visitors.map(async ({ visitor }) => (await visitor.open("/studio")).path),
    );
  for (const { visitor, form } of visitors) {
    const { setCookies, text } = await visitor.send("/door", form);
    assertMatch(
      setCookies[0] ?? "",
      form.keep ? /Max-Age=2592000;/ : /Max-Age=86400;/,
      rowName(form),
    );
    assertEquals(text, "Lucie's wheel", rowName(form));
  }
  clock.pass(DAY - 1);
  assertEquals(await whereabouts(), ["/studio", "/studio"]);
  clock.pass(1);
  assertEquals(await whereabouts(), ["/studio", "/door"]);
  clock.pass(29 * DAY - 1);
  assertEquals(await whereabouts(), ["/studio", "/door"]);
  clock.pass(1);
  assertEquals(await whereabouts(), ["/door", "/door"]);
});

Deno.test("React Router, Multiple Sessions 1: one visitor has two sessions, each with its own cookie, secret and lifetime", async () => {
  using clock = stopTime();
  const wheels = createCookieSessionStorage({
    cookie: {
      name: "__wheel",
      secrets: [env.SECRET],
      httpOnly: true,
      secure: true,
      maxAge: 60 * 60 * 24 * 7,
    },
  });
  const kilns = createCookieSessionStorage({
    cookie: {
      name: "__kiln",
      secrets: ["bone china"],
      httpOnly: true,
      secure: true,
      sameSite: "strict",
      maxAge: 60 * 60,
    },
  });
  const visitor = new Visitor(serveRoutes({
    "/": {
      async loader({ request }) {
        const cookies = request.headers.get("Cookie");
        const wheel = await wheels.getSession(cookies);
        const kiln = await kilns.getSession(cookies);
        return { wheel: wheel.get("name"), kiln: kiln.get("name") };
      },
      async action({ request }) {
        const storage = (await request.formData()).get("at") === "kiln"
          ? kilns
          : wheels;
        const session = await storage.getSession(request.headers.get("Cookie"));
        session.set("name", "Hans");
        return redirect("/", {
          headers: { "Set-Cookie": await storage.commitSession(session) },
        });
      },
      page: ({ wheel, kiln }) => `wheel ${wheel}, kiln ${kiln}`,
    },
  }));
  const wheel = await visitor.send("/", { at: "wheel" });
  assertEquals(wheel.text, "wheel Hans, kiln undefined");
  const kiln = await visitor.send("/", { at: "kiln" });
  assertEquals(kiln.text, "wheel Hans, kiln Hans");
  assertMatch(kiln.setCookies[0] ?? "", /Max-Age=3600; SameSite=Strict/);

  const [, value = ""] = wheel.setCookies[0]?.match(/^__wheel=([^;]+)/) ?? [];
  clock.pass(3600);
  assertEquals((await visitor.open("/")).text, "wheel Hans, kiln undefined");
  visitor.plant("__kiln", value);
  assertEquals((await visitor.open("/")).text, "wheel Hans, kiln undefined");
});

Deno.test("React Router, Best Practices entry 8: a replaced secret signs nobody out until it is removed", async () => {
  const withSecrets = (...secrets: string[]) =>
    studio(createCookieSessionStorage({
      cookie: { name: "__session", secrets },
    }));
  const first = withSecrets("earth");
  await first.send("/door", LUCIE);
  const made = first.cookies().slice("__session=".length);

  const rotated = withSecrets("fire", "earth");
  rotated.plant("__session", made);
  assertEquals((await rotated.open("/studio")).text, "Lucie's wheel");
  await rotated.send("/door", LUCIE);
  const renewed = rotated.cookies().slice("__session=".length);
  assertNotEquals(renewed, made);

  const dropped = withSecrets("fire");
  dropped.plant("__session", made);
  assertEquals((await dropped.open("/studio")).path, "/door");
  dropped.plant("__session", renewed);
  assertEquals((await dropped.open("/studio")).text, "Lucie's wheel");
});
