/**
 * How far one request walks through the library: the files, functions and calls
 * that it enters, by V8's precise coverage.
 *
 * `deno run -A tools/walk.ts`, with `--list` for the functions by name.
 */
// deno-lint-ignore-file no-console -- a command
import {
  createCookieSessionStorage,
  createMemorySessionStorage,
  type Session,
  withSession,
} from "../mod.ts";
import { Session as Inspector } from "node:inspector";
import { root } from "./project.ts";

interface Coverage {
  result: {
    url: string;
    functions: { functionName: string; ranges: { count: number }[] }[];
  }[];
}

type Handler = (request: Request, session: Session) => Response;

const storages = {
  memory: () => createMemorySessionStorage({ cookie: { name: "__session" } }),
  "sealed cookie": () =>
    createCookieSessionStorage({
      cookie: { name: "__session", secrets: ["s3cr3t"] },
    }),
};

const handlers: Record<string, { signedIn: boolean; handle: Handler }> = {
  anonymous: { signedIn: false, handle: () => new Response() },
  read: {
    signedIn: true,
    handle: (_, session) => new Response(session.get("userId")),
  },
  set: {
    signedIn: true,
    handle(_, session) {
      session.set("visits", 2);
      return new Response();
    },
  },
};

const inspector = new Inspector();
inspector.connect();

function post<T>(method: string, parameters?: object): Promise<T> {
  return new Promise((resolve, reject) => {
    inspector.post(
      method as "Profiler.enable",
      parameters as never,
      (error: Error | null, answer: unknown) =>
        error ? reject(error) : resolve(answer as T),
    );
  });
}

const take = () => post<Coverage>("Profiler.takePreciseCoverage");

/** The calls of one request, by file and function. */
async function walk(run: () => Promise<unknown>): Promise<Map<string, number>> {
  await take();
  await run();
  const calls = new Map<string, number>();
  for (const { url, functions } of (await take()).result) {
    if (!url.startsWith(root.href)) continue;
    const file = url.slice(root.href.length);
    if (!/^(core|storage|middleware)\//.test(file)) continue;
    functions.forEach(({ functionName, ranges: [range] }, index) => {
      if (!range?.count) return;
      // Functions without a name are told apart by their order.
      calls.set(`${file} ${functionName || `(${index})`}`, range.count);
    });
  }
  return calls;
}

async function visit(
  storage: ReturnType<typeof storages[keyof typeof storages]>,
  { signedIn, handle }: typeof handlers[string],
): Promise<Map<string, number>> {
  const session = await storage.getSession();
  session.set("userId", "ann");
  session.set("visits", 1);
  const [cookie = ""] = (await storage.commitSession(session)).split(";");
  const request = () =>
    new Request("http://localhost/", signedIn ? { headers: { cookie } } : {});
  const handler = withSession(storage, handle);
  // What is made on first use is not one request's walk.
  await handler(request());
  const next = request();
  return await walk(() => handler(next));
}

await post("Profiler.enable");
await post("Profiler.startPreciseCoverage", { callCount: true });
console.log(
  "storage        request    files  functions  calls",
);
for (const [name, create] of Object.entries(storages)) {
  for (const [title, handler] of Object.entries(handlers)) {
    const calls = await visit(create(), handler);
    const files = new Set([...calls.keys()].map((key) => key.split(" ")[0]));
    const sum = [...calls.values()].reduce((a, b) => a + b, 0);
    console.log(
      name.padEnd(14),
      title.padEnd(10),
      String(files.size).padStart(5),
      String(calls.size).padStart(10),
      String(sum).padStart(6),
    );
    if (!Deno.args.includes("--list")) continue;
    for (const [key, count] of calls) console.log(`  ${count} × ${key}`);
  }
}
