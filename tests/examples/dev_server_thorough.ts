// React Router's development server loads a file again after an edit. What the guide says keeps the sessions.
import { assertEquals, assertMatch } from "@std/assert";
import { prepare } from "../../tools/example.ts";
import { root } from "../../tools/project.ts";
import { cookieHeader } from "../core/_support.ts";
import { eventually } from "../engines/_eventually.ts";

const { cwd } = await prepare("react_router", { quiet: true });

/** The example with another storage, whose module can be edited. */
async function copyWith(storage: string): Promise<string> {
  const dir = await Deno.makeTempDir();
  await Deno.mkdir(`${dir}/app/routes`, { recursive: true });
  for (
    const file of [
      ...["app/root.tsx", "app/routes/home.tsx", "app/routes/name.ts"],
      ...["package.json", "react-router.config.ts", "vite.config.ts"],
    ]
  ) await Deno.copyFile(`${cwd}${file}`, `${dir}/${file}`);
  await Deno.symlink(`${cwd}node_modules`, `${dir}/node_modules`);
  await Deno.writeTextFile(
    `${dir}/app/routes.ts`,
    `import { index, route } from "@react-router/dev/routes";
export default [index("routes/home.tsx"), route("edition", "routes/edition.ts")];`,
  );
  await Deno.writeTextFile(
    `${dir}/app/routes/edition.ts`,
    `import { edition } from "../sessions.server";
export const loader = () => new Response(String(edition));`,
  );
  await edit(dir, storage, 1);
  return dir;
}

async function edit(dir: string, storage: string, edition: number) {
  await Deno.writeTextFile(
    `${dir}/app/sessions.server.ts`,
    `import { createContext } from "react-router";
${storage}
export const sessionContext = createContext();
export const edition = ${edition};`,
  );
}

/** Starts the development server, and returns its address. */
async function serve(dir: string) {
  const child = new Deno.Command(`${cwd}node_modules/.bin/node`, {
    args: [
      ...["node_modules/.bin/react-router", "dev"],
      ...["--host", "127.0.0.1", "--port", "0"],
    ],
    cwd: dir,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let printed = "";
  const address = Promise.withResolvers<string>();
  const listen = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      printed += text;
      const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? [];
      if (origin) address.resolve(origin);
    }
  };
  const ended = Promise.all([listen(child.stdout), listen(child.stderr)]);
  ended.then(() => address.reject(new Error(printed)));
  return {
    origin: await address.promise,
    printed: () => printed,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      await child.status;
    },
  };
}

/** The visits that a visitor is told of, the last one after an edit. */
async function visitsAcrossEdit(storage: string): Promise<string[]> {
  const dir = await copyWith(storage);
  try {
    await using server = await serve(dir);
    let cookie = "";
    const visit = async () => {
      const response = await fetch(server.origin, { headers: { cookie } });
      const [setCookie] = response.headers.getSetCookie();
      if (setCookie) cookie = cookieHeader(setCookie);
      return /this is visit \d+/.exec(await response.text())?.[0] ??
        response.status + server.printed();
    };
    const seen = [await visit(), await visit()];
    assertMatch(cookie, /^__session=/, seen.join());
    await edit(dir, storage, 2);
    await eventually(async () => {
      const response = await fetch(`${server.origin}/edition`);
      assertEquals(await response.text(), "2");
    });
    return [...seen, await visit()];
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("the guide's storage in memory keeps its sessions over an edit, in React Router's development server", async () => {
  const guide = await Deno.readTextFile(new URL("docs/middleware.md", root));
  const [, fence = ""] = /```ts\n((?:(?!```)[^])*kept\.appSessions[^]*?)```/
    .exec(guide) ?? [];
  assertEquals(await visitsAcrossEdit(fence), [
    "this is visit 1",
    "this is visit 2",
    "this is visit 3",
  ]);
});

Deno.test("a storage in memory begins empty after an edit, in React Router's development server", async () => {
  const plain = `import { createMemorySessionStorage } from "@satchel/session";
export const sessionStorage = createMemorySessionStorage();`;
  assertEquals(await visitsAcrossEdit(plain), [
    "this is visit 1",
    "this is visit 2",
    "this is visit 1",
  ]);
});
