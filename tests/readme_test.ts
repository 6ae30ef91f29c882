import {
  type Cookie,
  createCloudflareKVSessionStorage,
  createCookie,
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createMemorySessionStorage,
  createRedisSessionStorage,
  createSessionStorage,
  type HttpSessionStorage,
  Session,
  type SessionStorage,
  type StorageGuarantees,
} from "../mod.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { createServer, type RequestListener } from "node:http";
import { pathToFileURL } from "node:url";

const readme = Deno.readTextFileSync(new URL("../README.md", import.meta.url))
  .replaceAll("\r\n", "\n");

/** The text of the first fence below a heading. */
function fenceBelow(heading: string): string {
  const section = readme.split(`\n## ${heading}\n`)[1] ?? "";
  const [, code = ""] = section.match(/\n```ts\n(.*?)\n```\n/s) ?? [];
  return code;
}

/** Runs the first fence below a heading as it is printed, and gives what it declares. */
async function run<T>(heading: string, names: string): Promise<T> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const code = fenceBelow(heading);
    await Deno.writeTextFile(file, `${code}\nexport { ${names} };\n`);
    return await import(pathToFileURL(file).href);
  } finally {
    await Deno.remove(file);
  }
}

/** A visitor: sends the cookie it was last given. */
function visitor() {
  let cookie = "";
  return {
    request(path: string, form?: Record<string, string>): Request {
      return new Request(`http://localhost${path}`, {
        method: form ? "POST" : "GET",
        headers: { cookie },
        body: form ? new URLSearchParams(form) : null,
      });
    },
    keep<R extends { headers: Headers }>(response: R): R {
      const [given] = response.headers.getSetCookie();
      if (given) cookie = given.split(";")[0] ?? "";
      return response;
    },
    get cookie() {
      return cookie;
    },
    set cookie(value) {
      cookie = value;
    },
  };
}

type Handler = (request: Request) => Promise<Response>;

Deno.test("README.md shows a first handler that counts visits in under 15 lines", async () => {
  assert(fenceBelow("A first handler").split("\n").length < 15);
  const { handler } = await run<{ handler: Handler }>(
    "A first handler",
    "handler",
  );
  const guest = visitor();
  guest.keep(await handler(guest.request("/")));
  const second = await handler(guest.request("/"));
  assertEquals(await second.text(), "Visit 2");
});

Deno.test("README.md shows a login whose message comes once and whose logout is final", async () => {
  const { handler } = await run<{ handler: Handler }>(
    "Flash, login and logout",
    "handler",
  );
  const guest = visitor();
  const visit = async (path: string, form?: Record<string, string>) =>
    await guest.keep(await handler(guest.request(path, form))).text();

  await visit("/login", { name: "ann", password: "guess" });
  const before = guest.cookie;
  assertEquals(await visit("/"), "Wrong name or password");
  assertEquals(await visit("/"), "Please sign in");
  await visit("/login", { name: "ann", password: "open sesame" });
  const after = guest.cookie;
  assertEquals(await visit("/"), "ann");
  guest.cookie = before;
  assertEquals(await visit("/"), "Please sign in");
  guest.cookie = after;
  await visit("/logout", {});
  guest.cookie = after;
  assertEquals(await visit("/"), "Please sign in");
});

Deno.test("README.md shows React Router's login, guard, remember me and logout at work", async () => {
  type Route<R> = (args: { request: Request }) => Promise<R>;
  const { loginLoader, loginAction, logoutAction, requireUserId } = await run<{
    loginLoader: Route<Response | { data: { error?: string } }>;
    loginAction: Route<Response>;
    logoutAction: Route<Response>;
    requireUserId: (request: Request) => Promise<string>;
  }>(
    "Coming from React Router or Remix 1–2",
    "loginLoader, loginAction, logoutAction, requireUserId",
  );
  const guest = visitor();
  const page = () => guest.request("/login");
  const signIn = { username: "ann", password: "open sesame" };
  const login = async (form: Record<string, string>) =>
    guest.keep(await loginAction({ request: guest.request("/login", form) }));

  await assertRejects(() => requireUserId(page()));
  await login({ password: "guess" });
  const shown = await loginLoader({ request: page() });
  assert("data" in shown);
  assertEquals(shown.data.error, "Invalid username/password");
  const remembered = await login({ ...signIn, rememberMe: "on" });
  const [setCookie = ""] = remembered.headers.getSetCookie();
  assertStringIncludes(setCookie, "Max-Age=2592000");
  assertEquals(await requireUserId(page()), "ann");
  guest.keep(await logoutAction({ request: page() }));
  await assertRejects(() => requireUserId(page()));
});

Deno.test("README.md shows a middleware for Remix 3 that reads and saves", async () => {
  interface Context {
    request: Request;
    session?: Session;
    set(key: typeof Session, session: Session): void;
  }
  const { session } = await run<{
    session: (cookie: Cookie, storage: SessionStorage) => (
      context: Context,
      next: () => Promise<Response>,
    ) => Promise<Response>;
  }>("Coming from Remix 3", "session");
  const middleware = session(
    createCookie("__session", { secrets: ["s3cr3t"] }),
    createCookieSessionStorage(),
  );
  const guest = visitor();
  const visit = async (handle: (session: Session) => unknown) => {
    const found = new Map<unknown, Session>();
    const context: Context = {
      request: guest.request("/"),
      set: (key, value) => void found.set(key, value),
    };
    return await guest.keep(
      await middleware(context, async () => {
        assertEquals(found.get(Session), context.session);
        return new Response(String(context.session && handle(context.session)));
      }),
    ).text();
  };
  await visit((session) => {
    session.regenerateId();
    session.set("userId", "ann");
  });
  assertEquals(await visit((session) => session.get("userId")), "ann");
  await visit((session) => session.destroy());
  assertEquals(await visit((session) => session.get("userId")), "undefined");
});

Deno.test("README.md shows a middleware for Express that reads and saves", async () => {
  type Listener = (
    ...args: [...Parameters<RequestListener>, (error?: unknown) => void]
  ) => void;
  const { session, loader } = await run<{
    session: (storage: HttpSessionStorage) => Listener;
    loader: (request: unknown) => string;
  }>("Coming from Express and the first Remix", "session, loader");
  const middleware = session(
    createMemorySessionStorage({ cookie: { name: "__session" } }),
  );
  const server = createServer((request, response) => {
    middleware(request, response, (error) => {
      if (request.url === "/archive") {
        const { session } = request as unknown as { session: Session };
        session.flash("globalMessage", "Project archived");
        response.end();
        return;
      }
      response.end(error ? "failed" : JSON.stringify(loader(request)));
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as { port: number };
  const guest = visitor();
  const visit = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { cookie: guest.cookie },
    });
    return await guest.keep(response).text();
  };
  try {
    assertEquals(await visit("/"), '{"message":null}');
    assertEquals(guest.cookie, "");
    await visit("/archive");
    assertEquals(await visit("/"), '{"message":"Project archived"}');
    assertEquals(await visit("/"), '{"message":null}');
  } finally {
    await new Promise((closed) => server.close(closed));
  }
});

Deno.test("README.md says of each storage what the storage declares", async () => {
  const dir = await Deno.makeTempDir();
  const kv = Deno.openKv(":memory:");
  const storages: Record<string, SessionStorage> = {
    "`createCookieSessionStorage`": createCookieSessionStorage(),
    "`createMemorySessionStorage`": createMemorySessionStorage(),
    "`createFileSessionStorage`": createFileSessionStorage({ dir }),
    "`createDenoKvSessionStorage`": createDenoKvSessionStorage({ kv }),
    "`createRedisSessionStorage`": createRedisSessionStorage({
      url: "redis://127.0.0.1",
    }),
    "`createMemcacheSessionStorage`": createMemcacheSessionStorage({
      url: "127.0.0.1:11211",
    }),
    "`createDynamoDBSessionStorage`": createDynamoDBSessionStorage({
      table: "sessions",
    }),
    "`createCloudflareKVSessionStorage`": createCloudflareKVSessionStorage({
      kv: {
        getWithMetadata: () => Promise.resolve({ value: null, metadata: null }),
        put: () => Promise.resolve(),
        delete: () => Promise.resolve(),
      },
    }),
    "`createSessionStorage` with four functions": createSessionStorage({
      cookie: {},
      createData: () => Promise.resolve("1"),
      readData: () => Promise.resolve(null),
      updateData: () => Promise.resolve(),
      deleteData: () => Promise.resolve(),
    }),
  };
  const rows = new Map(
    readme.split("\n").filter((row) => row.startsWith("| `create")).map(
      (row) => {
        const [name = "", ...cells] = row.split("|").slice(1, -1)
          .map((cell) => cell.trim());
        return [name, cells] as const;
      },
    ),
  );
  for (const [name, { guarantees }] of Object.entries(storages)) {
    const [merges, revokes, durable, shared, largest = ""] = rows.get(name) ??
      [];
    assert(guarantees, name);
    const said = [merges, revokes, durable, shared]
      .map((cell) => cell?.startsWith("yes"));
    const { compareAndSet, revoke, maxBytes }: StorageGuarantees = guarantees;
    assertEquals(
      said,
      [compareAndSet, revoke, guarantees.durable, guarantees.shared],
      name,
    );
    if (maxBytes === undefined) continue;
    const about = /about ([\d,]+) (KB|MB)/.exec(largest);
    if (about) {
      const bytes = Number(about[1]) * (about[2] === "KB" ? 1024 : 1024 ** 2);
      assert(Math.abs(bytes / maxBytes - 1) < 0.01, `${name}: ${maxBytes}`);
    } else assertStringIncludes(largest, maxBytes.toLocaleString("en"));
  }
  (await kv).close();
  await Deno.remove(dir, { recursive: true });
});
