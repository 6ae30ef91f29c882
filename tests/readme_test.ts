import {
  createCloudflareKVSessionStorage,
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createMemorySessionStorage,
  createRedisSessionStorage,
  createSessionStorage,
  type SessionStorage,
  type StorageGuarantees,
} from "../mod.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
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
    } else assertStringIncludes(largest, maxBytes.toLocaleString("en"), name);
  }
  (await kv).close();
  await Deno.remove(dir, { recursive: true });
});
