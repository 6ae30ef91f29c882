// Carries out the steps of `docs/operate.md` that need no engine's own commands.
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { join } from "node:path";
import {
  createCookie,
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createFileSessionStorage,
  createMemorySessionStorage,
  createSessionStorage,
  createWorkersKVSessionStorage,
  type Session,
  type SessionEvent,
  type SessionStorage,
  type StorageOptions,
  withSession,
} from "../../mod.ts";
import { Clock, cookieHeader } from "../core/_support.ts";
import { kvNamespace } from "../engines/_kv_namespace.ts";
import { tableUnder } from "../_markdown.ts";
import { rowName } from "../_row.ts";

const HOUR = 60 * 60;
const DAY = 24 * HOUR;
const OLD = "an old secret of more than 32 letters";
const NEW = "a new secret, also of more than 32 letters";

/** An engine that several servers share: it opens a storage on it for each of them. */
type Shared = (options: StorageOptions) => SessionStorage;

function fourFunctions(): Shared {
  const rows = new Map<string, string>();
  const functions = {
    async createData(data: object) {
      const id = crypto.randomUUID();
      rows.set(id, JSON.stringify(data));
      return id;
    },
    readData: async (id: string) => JSON.parse(rows.get(id) ?? "null"),
    updateData: async (id: string, data: object) =>
      void rows.set(id, JSON.stringify(data)),
    deleteData: async (id: string) => void rows.delete(id),
  };
  return (options) => createSessionStorage({ ...options, ...functions });
}

/** Runs a test on each kind of engine that does not need a server. */
async function onEach(
  test: (open: Shared, engine: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "satchel_operate_" });
  const kv = await Deno.openKv(":memory:");
  const namespace = kvNamespace().kv;
  const engines: Record<string, Shared> = {
    cookie: (options) => createCookieSessionStorage(options),
    files: (options) => createFileSessionStorage({ ...options, dir }),
    "Deno KV": (options) => createDenoKvSessionStorage({ ...options, kv }),
    "Workers KV": ({ idleTimeout: _, owner: __, ...options }) =>
      createWorkersKVSessionStorage({ ...options, kv: namespace }),
    "four functions": fourFunctions(),
  };
  try {
    for (const [engine, open] of Object.entries(engines)) {
      await test(open, engine);
    }
  } finally {
    kv.close();
    await Deno.remove(dir, { recursive: true });
  }
}

async function inFiles(
  test: (open: Shared, dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "satchel_operate_" });
  try {
    await test(
      (options) => createFileSessionStorage({ ...options, dir }),
      dir,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Signs a user in, and returns the cookie. */
async function login(
  { getSession, commitSession }: SessionStorage,
  userId = "ann",
): Promise<string> {
  const session = await getSession();
  session.restart();
  session.set("userId", userId);
  return cookieHeader(await commitSession(session));
}

async function userOf(storage: SessionStorage, cookie: string) {
  return (await storage.getSession(cookie)).get("userId");
}

const owner = ({ userId }: { userId?: string }) => userId;

// Secrets -----------------------------------------------------------------------

/** Visits a server, which only reads, and returns the user and the browser's next cookie. */
async function visit(
  storage: SessionStorage,
  cookie: string,
  { method = "GET", headers = {}, status = 200 }: {
    method?: string;
    headers?: Record<string, string>;
    status?: number;
  } = {},
): Promise<{ user: unknown; cookie: string }> {
  let user: unknown;
  const handler = withSession(storage, (_request, session) => {
    user = session.get("userId");
    return new Response(null, { status });
  });
  const response = await handler(
    new Request("http://localhost/", {
      method,
      headers: { cookie, ...headers },
    }),
  );
  const [setCookie] = response.headers.getSetCookie();
  return { user, cookie: setCookie ? cookieHeader(setCookie) : cookie };
}

Deno.test("operate.md rotates a secret, and nobody is signed out", async () => {
  await onEach(async (open, engine) => {
    const server = (...secrets: string[]) => open({ cookie: { secrets } });
    const steps = [[OLD], [OLD, NEW], [NEW, OLD], [NEW]];
    const visitor = await login(server(OLD));
    const first = visitor;
    let cookie = visitor;
    for (const [i, secrets] of steps.entries()) {
      // While a step is deployed, requests reach servers of the step before it, too.
      const before = steps[Math.max(0, i - 1)] ?? [];
      // The last step begins when every visitor has reached a server of the step before.
      const servers = i === 3
        ? [before, secrets]
        : [before, secrets, before, secrets];
      for (const each of servers) {
        const row = rowName(`${engine}, step ${i}, ${each.length} secrets`);
        const answer = await visit(server(...each), cookie);
        assertEquals(answer.user, "ann", row);
        cookie = answer.cookie;
      }
    }
    assertNotEquals(cookie, first, engine);
    assertEquals((await visit(server(NEW), first)).user, undefined, engine);
  });
});

Deno.test("operate.md says which requests sign a cookie anew", async () => {
  await onEach(async (open, engine) => {
    const cookie = await login(open({ cookie: { secrets: [OLD] } }));
    const storage = open({ cookie: { secrets: [NEW, OLD] } });
    const unsigned = {
      HEAD: { method: "HEAD" },
      prefetch: { headers: { "Sec-Purpose": "prefetch" } },
      failed: { status: 500 },
    };
    for (const [what, request] of Object.entries(unsigned)) {
      const answer = await visit(storage, cookie, request);
      assertEquals(answer.cookie, cookie, rowName(`${engine}, ${what}`));
    }
    const read = await visit(storage, cookie);
    assertNotEquals(read.cookie, cookie, engine);

    const session = await storage.getSession(cookie);
    const committed = cookieHeader(await storage.commitSession(session));
    const alone = open({ cookie: { secrets: [NEW] } });
    assertEquals(await userOf(alone, committed), "ann", engine);
  });
});

Deno.test("operate.md says why the new secret must be known before it writes", async () => {
  await onEach(async (open, engine) => {
    const cookie = await login(open({ cookie: { secrets: [NEW, OLD] } }));
    const old = open({ cookie: { secrets: [OLD] } });
    assertEquals(await userOf(old, cookie), undefined, engine);
  });
});

Deno.test("operate.md says what a leaked secret opens", async () => {
  // The session is in the cookie: anybody can be forged, until the secret is gone.
  const leaked = createCookieSessionStorage({ cookie: { secrets: [OLD] } });
  const forged = await login(leaked, "admin");
  const rotating = createCookieSessionStorage({
    cookie: { secrets: [NEW, OLD] },
  });
  assertEquals(await userOf(rotating, forged), "admin");
  const replaced = createCookieSessionStorage({ cookie: { secrets: [NEW] } });
  assertEquals(await userOf(replaced, forged), undefined);

  // The cookie holds an id: an id that nobody was given opens nothing.
  const storage = createMemorySessionStorage({ cookie: { secrets: [OLD] } });
  const victim = await login(storage);
  const guess = createCookie("__session", { secrets: [OLD] });
  const signed = await guess.serialize("AAECAwQFBgcICQoLDA0ODxAR");
  assertEquals(await userOf(storage, cookieHeader(signed)), undefined);
  assertEquals(await userOf(storage, victim), "ann");
});

// Sign everybody out ---------------------------------------------------------------

Deno.test("operate.md signs everybody out, and a rollback signs them in again", async () => {
  await onEach(async (open, engine) => {
    const clock = new Clock();
    const now = () => clock.time;
    const options = { cookie: { secrets: [OLD] }, now };
    const before = open(options);
    const cookie = await login(before);
    clock.time += 1000;
    const notBefore = new Date(clock.time);
    clock.time += 1000;

    const after = open({ ...options, notBefore });
    assertEquals(await userOf(after, cookie), undefined, engine);
    const again = await login(after);
    assertEquals(await userOf(after, again), "ann", engine);
    assertEquals(await userOf(before, cookie), "ann", engine);
    assertThrows(
      () => open({ ...options, notBefore: new Date(clock.time + 1) }),
      RangeError,
      "it must not be in the future",
      rowName(engine),
    );
  });
});

// Erase a user -------------------------------------------------------------------------

/** Whether a file below a folder contains a text. */
async function holds(dir: string, text: string): Promise<boolean> {
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = join(dir, name);
    const found = isDirectory
      ? await holds(path, text)
      : (await Deno.readTextFile(path)).includes(text);
    if (found) return true;
  }
  return false;
}

Deno.test("operate.md erases a user, but for what it lists", async () => {
  await inFiles(async (open, dir) => {
    const clock = new Clock();
    const now = () => clock.time;
    const storage = open({ owner, now, idleTimeout: HOUR });
    await login(storage, "ann@example.org");
    await login(storage, "bob@example.org");
    // Before the storage had `owner`, and before a login.
    const ownerless = open({ now, idleTimeout: HOUR });
    await login(ownerless, "ann@example.org, unlisted");
    const stranger = await storage.getSession();
    stranger.set("address", "ann@example.org, a stranger");
    await storage.commitSession(stranger);

    assertEquals(await storage.destroySessions("ann@example.org"), 1);
    assertEquals(await storage.listSessions("ann@example.org"), []);
    assert(!await holds(dir, `"ann@example.org"`));
    assert(await holds(dir, `"bob@example.org"`));
    assert(await holds(dir, "ann@example.org, unlisted"));
    assert(await holds(dir, "ann@example.org, a stranger"));

    clock.time += (2 * HOUR + 1) * 1000;
    await storage.sweep?.();
    assert(!await holds(dir, "@example.org"));
  });
});

// The shape of the data ---------------------------------------------------------------

type Names = string[];
type Quantities = Record<string, number>;
type Version = (session: Session, add: string) => Quantities;

const quantities = (cart: Names | Quantities = {}): Quantities => {
  if (!Array.isArray(cart)) return cart;
  const counted: Quantities = {};
  for (const name of cart) counted[name] = (counted[name] ?? 0) + 1;
  return counted;
};
const names = (cart: Quantities): Names =>
  Object.entries(cart).flatMap(([name, count]) => Array(count).fill(name));

const oldCode: Version = (session, add) => {
  const cart: Names = session.get("cart") ?? [];
  session.set("cart", [...cart, add]);
  return quantities(session.get("cart"));
};
const step1: Version = (session, add) => {
  const cart = quantities(session.get("cart"));
  session.set("cart", [...names(cart), add]);
  return quantities(session.get("cart"));
};
const convert = (session: Session): void => {
  const cart = session.get("cart");
  if (Array.isArray(cart)) session.set("cart", quantities(cart));
};
const step2: Version = (session, add) => {
  convert(session);
  const cart: Quantities = session.get("cart") ?? {};
  session.set("cart", { ...cart, [add]: (cart[add] ?? 0) + 1 });
  return session.get("cart");
};
const step3: Version = (session, add) => {
  const cart: Quantities = session.get("cart") ?? {};
  session.set("cart", { ...cart, [add]: (cart[add] ?? 0) + 1 });
  return session.get("cart");
};

Deno.test("operate.md changes the shape of the data, with servers of two steps side by side", async () => {
  await inFiles(async (open) => {
    const storage = open({});
    const rollout: [Version[], string][] = [
      [[oldCode, step1, oldCode, step1], "step 1, rolled back, and deployed"],
      [[step1, step2, step1, step2], "step 2, rolled back, and deployed"],
      [[step2, step3, step2, step3], "step 3"],
    ];
    let cookie = "";
    let expected = 0;
    for (const [versions, row] of rollout) {
      for (const version of versions) {
        const session = await storage.getSession(cookie);
        const cart = version(session, "tea");
        assertEquals(cart, { tea: ++expected }, rowName(row));
        cookie = cookieHeader(await storage.commitSession(session));
      }
    }

    // A visitor who only reads.
    const reader = await storage.getSession();
    step1(reader, "tea");
    cookie = cookieHeader(await storage.commitSession(reader));
    const read = await storage.getSession(cookie);
    convert(read);
    await storage.commitSession(read);
    const later = await storage.getSession(cookie);
    assertEquals(step3(later, "tea"), { tea: 2 });
  });
});

// Deploy and roll back ------------------------------------------------------------------

/** A row of the table: both directions of a change. */
const changes: Record<string, () => Promise<void>> = {
  "a shorter or a longer lifetime": () =>
    inFiles(async (open) => {
      const clock = new Clock();
      const now = () => clock.time;
      const long = open({ idleTimeout: 30 * DAY, now });
      const short = open({ idleTimeout: HOUR, now });
      const cookie = await login(long);
      clock.time += 2 * HOUR * 1000;
      assertEquals(await userOf(short, cookie), undefined);
      assertEquals(await userOf(long, cookie), "ann");
    }),
  "`owner` is added": () =>
    inFiles(async (open) => {
      const before = open({});
      const after = open({ owner });
      const cookie = await login(before);
      assertEquals(await after.listSessions("ann"), []);
      assertEquals(await after.destroySessions("ann"), 0);
      assertEquals(await userOf(after, cookie), "ann");

      const session = await after.getSession(cookie);
      session.set("seen", true);
      await after.commitSession(session);
      assertEquals((await after.listSessions("ann")).length, 1);
      assertEquals(await after.destroySessions("ann"), 1);
      assertEquals(await userOf(before, cookie), undefined);
    }),
  "`owner` is removed": () =>
    inFiles(async (open) => {
      const before = open({ owner });
      const after = open({});
      const cookie = await login(before);
      const session = await after.getSession(cookie);
      session.set("seen", true);
      await after.commitSession(session);
      assertEquals((await before.listSessions("ann")).length, 1);

      const again = await after.getSession(cookie);
      again.restart({ keep: ["userId"] });
      await after.commitSession(again);
      assertEquals(await before.listSessions("ann"), []);
    }),
  "`secrets` are rotated": async () => {}, // The tests above.
  "`encrypt: false` is added to the cookie": async () => {
    const sealed = createCookieSessionStorage({ cookie: { secrets: [OLD] } });
    const signed = createCookieSessionStorage({
      cookie: { secrets: [OLD], encrypt: false },
    });
    assertEquals(await userOf(signed, await login(sealed)), "ann");
    assertEquals(await userOf(sealed, await login(signed)), undefined);
  },
  "`encrypt: false` is removed": async () => {
    const signed = createCookieSessionStorage({
      cookie: { secrets: [OLD], encrypt: false },
    });
    const sealed = createCookieSessionStorage({ cookie: { secrets: [OLD] } });
    assertEquals(await userOf(sealed, await login(signed)), undefined);
  },
  "`secrets` are added to a cookie": () =>
    inFiles(async (open) => {
      const without = open({});
      const secured = open({ cookie: { secrets: [OLD] } });
      assertEquals(await userOf(secured, await login(without)), undefined);
      assertEquals(await userOf(without, await login(secured)), undefined);
    }),
  "the cookie's name or `prefix` changes": async () => {
    await inFiles(async (open) => {
      const before = open({ cookie: { name: "one" } });
      const after = open({ cookie: { name: "two" } });
      assertEquals(await userOf(after, await login(before)), undefined);
      assertEquals(await userOf(before, await login(after)), undefined);
    });
    using kv = await Deno.openKv(":memory:");
    const before = createDenoKvSessionStorage({ kv, prefix: "one" });
    const after = createDenoKvSessionStorage({ kv, prefix: "two" });
    assertEquals(await userOf(after, await login(before)), undefined);
    assertEquals(await userOf(before, await login(after)), undefined);
  },
};

const deployments = await tableUnder(
  "docs/operate.md",
  "## Deploy and roll back",
);

Deno.test("operate.md lists the changes that are tried here", () => {
  assertEquals(
    deployments.map((row) => row["Change"]),
    Object.keys(changes),
  );
});

for (const [change, tryOut] of Object.entries(changes)) {
  Deno.test(`operate.md says what happens when ${change}`, tryOut);
}

// Alerts ---------------------------------------------------------------------------------

/** Causes each event, and returns the events of that storage. */
const causes: Record<string, (events: SessionEvent[]) => Promise<void>> = {
  async "engine-error"(events) {
    const { getSession, commitSession } = createSessionStorage({
      async createData() {
        throw new Error("the database is down");
      },
      readData: async () => null,
      updateData: async () => {},
      deleteData: async () => {},
      onEvent: (event) => events.push(event),
    });
    const session = await getSession();
    session.set("userId", "ann");
    await commitSession(session).catch(() => {});
  },
  async missing(events) {
    const dir = await Deno.makeTempDir();
    const storage = createFileSessionStorage({
      dir: join(dir, "sessions"),
      cookie: { secrets: [OLD] },
      onEvent: (event) => events.push(event),
    });
    const cookie = await login(storage);
    for await (const { name } of Deno.readDir(join(dir, "sessions"))) {
      await Deno.remove(join(dir, "sessions", name), { recursive: true });
    }
    assertEquals(await userOf(storage, cookie), undefined);
    await Deno.remove(dir, { recursive: true });
    assertEquals(events.at(-1)?.signed, true);
  },
  async "rejected-cookie"(events) {
    const cookie = await login(
      createCookieSessionStorage({ cookie: { secrets: [NEW] } }),
    );
    const storage = createCookieSessionStorage({
      cookie: { secrets: [OLD] },
      onEvent: (event) => events.push(event),
    });
    await userOf(storage, cookie);
  },
  async "late-save"(events) {
    const storage = createMemorySessionStorage({
      onEvent: (event) => events.push(event),
    });
    const cookie = await login(storage);
    const late = await storage.getSession(cookie);
    await storage.destroySession(await storage.getSession(cookie));
    late.set("theme", "dark");
    await storage.commitSession(late);
  },
  async conflict(events) {
    await inFiles(async (open) => {
      const onEvent = (event: SessionEvent) => events.push(event);
      const servers = [open({ onEvent }), open({ onEvent })] as const;
      const cookie = await login(servers[0]);
      // Each server has read the session before the other one saves it.
      const sessions = await Promise.all(
        servers.map(({ getSession }) => getSession(cookie)),
      );
      for (const [i, server] of servers.entries()) {
        sessions[i]?.set(`key${i}`, true);
        const session = sessions[i];
        if (session) await server.commitSession(session);
      }
    });
  },
  async evicted(events) {
    await inFiles(async (open) => {
      const onEvent = (event: SessionEvent) => events.push(event);
      const storage = open({ owner, maxPerOwner: 1, onEvent });
      for (let i = 0; i < 2; i++) await login(storage);
    });
  },
  async "corrupt-record"(events) {
    const row = "not an object";
    const storage = createSessionStorage({
      createData: async () => crypto.randomUUID(),
      readData: async () => row as never,
      updateData: async () => {},
      deleteData: async () => {},
      onEvent: (event) => events.push(event),
    });
    const cookie = await login(storage);
    await userOf(storage, cookie);
  },
  async misfit(events) {
    const schema = {
      "~standard": { version: 1, validate: () => ({ issues: [] }) },
    } as const;
    const storage = createMemorySessionStorage({
      schema,
      onEvent: (event) => events.push(event),
    });
    const cookie = await login(storage as SessionStorage);
    await userOf(storage as SessionStorage, cookie);
  },
};

Deno.test("operate.md lists events that a storage reports", async () => {
  const rows = await tableUnder("docs/operate.md", "## Alerts");
  const listed = rows.map((row) => row["Event"]?.replaceAll("`", "") ?? "");
  assertEquals(listed, Object.keys(causes));
  for (const [type, cause] of Object.entries(causes)) {
    const events: SessionEvent[] = [];
    await cause(events);
    const seen = events.map((event) => event.type);
    assert(seen.includes(type as never), `${type}: ${seen}`);
  }
});
