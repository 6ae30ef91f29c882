import * as library from "../mod.ts";
import { assert, assertEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import { readConfig, root } from "../tools/project.ts";

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root)).replaceAll("\r\n", "\n");
}

const readme = read("README.md");
const storages = read("docs/storages.md");
const middleware = read("docs/middleware.md");

/** The text of the first fence below a heading. */
function fenceBelow(heading: string): string {
  const section = readme.split(`\n## ${heading}\n`)[1] ?? "";
  const [, code = ""] = section.match(/\n```ts\n(.*?)\n```\n/s) ?? [];
  return code;
}

/** Runs the first fence below a heading as it is printed, and returns what it declares. */
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
    "Log in, log out, show a message",
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

/** Other names of the factories, as older libraries have them. */
const ALIASES = [
  "createArcTableSessionStorage",
  "createFsSessionStorage",
  "createWorkersKVSessionStorage",
];

Deno.test("README.md has a row for every storage, and docs/storages.md its other name", () => {
  const rows = [...readme.matchAll(/^\| \[`(create\w*)`\]\(docs\/storages/gm)]
    .map(([, name]) => name);
  const factories = Object.keys(library)
    .filter((name) => /^create\w*SessionStorage$/.test(name));
  assertEquals(
    [...new Set(rows)].sort(),
    factories.filter((name) => !ALIASES.includes(name)).sort(),
  );
  for (const name of ALIASES) {
    assert(factories.includes(name), name);
    assert(storages.includes(name), name);
  }
});

Deno.test("README.md names every middleware, and docs/middleware.md has a row for it", () => {
  const names = Object.keys(readConfig().exports)
    .filter((entry) => entry.startsWith("./middleware/"))
    .map((entry) => entry.replace("./middleware/", ""));
  const part = readme.slice(readme.indexOf("## Use a framework"))
    .replace(/```.*/s, "");
  const lists = part.match(/^- .*(\n {2}.*)*/gm)?.join(" ") ?? "";
  const named = [...lists.matchAll(/`([\w-]+)`/g)].map(([, name]) => name);
  assertEquals(named.sort(), names.toSorted());
  for (const name of names) {
    assert(
      middleware.includes(`| \`@satchel/session/middleware/${name}\``),
      name,
    );
  }
});

Deno.test("README.md says how large a session in a cookie may be", () => {
  const { guarantees } = library.createCookieSessionStorage();
  const bytes = guarantees?.maxBytes?.toLocaleString("en");
  assert(readme.includes(`${bytes} bytes`), `it is ${bytes} bytes`);
});

Deno.test("README.md does not exceed 240 lines", () => {
  assert(readme.split("\n").length <= 240);
});
