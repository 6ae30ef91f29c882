// What a visitor receives is, byte for byte, what it is without a session.
import { assert, assertEquals } from "@std/assert";
import { effort } from "../../_effort.ts";
import { rowName } from "../../_row.ts";
import { withPackages } from "../../engines/_packages.ts";
import { KINDS } from "./_kinds.ts";
import { decoded, openHttp2, type RawAnswer, visit } from "./_raw.ts";
import { serveOnNode } from "./_node.ts";
import {
  Answers,
  H3_KINDS,
  HOSTS,
  ORDERS,
  OTHERS,
  type Packages,
  pathOf,
  type Setup,
} from "./_server.ts";

/** Headers of one connection or one moment. */
const VOLATILE = /^(date|connection|keep-alive|transfer-encoding|set-cookie)$/i;

/** The parts of an answer that a session must not change. */
function lasting(
  answer: RawAnswer,
  withCookie: boolean,
): unknown {
  const { status, headers, trailers } = answer;
  const fields = headers.filter(([name]) => !VOLATILE.test(name)).map((
    [name, value],
  ) =>
    /^vary$/i.test(name)
      ? [
        name,
        value.split(/, */).filter((each) => each !== "Cookie").join(", "),
      ]
      : [name, value]
  );
  const ours = /^(vary|cache-control)$/i;
  return {
    status,
    body: decoded(answer),
    trailers,
    // The session's headers, with the cookie, may be new or come last.
    fields: withCookie ? fields.filter(([name]) => !ours.test(name!)) : fields,
  };
}

function cookiesOf({ headers }: RawAnswer): string[] {
  return headers.filter(([name]) => /^set-cookie$/i.test(name))
    .map(([, value]) => value.replace(/=[^]*/, ""));
}

/** Visitors: who they are, and what the application does with their session. */
const VISITORS = [
  ["a stranger", "unchanged"],
  ["a stranger who gets a session", "changed"],
  ["signed in, unchanged", "unchanged"],
  ["signed in, changed", "changed"],
] as const;

/** The other middlewares of the quick form, and those of the thorough form. The long form has each of them. */
const QUICK_OTHERS: readonly Setup["other"][] = ["compression"];
const THOROUGH_OTHERS: readonly Setup["other"][] = ["compression", "all"];

/** The kinds of answer that a host can send. */
function kindsOf(host: Setup["host"]): string[] {
  if (host.startsWith("h3")) return Object.keys(H3_KINDS);
  return Object.entries(KINDS).filter(([, { on }]) =>
    on === undefined || host.startsWith("Express") ||
    on === "http1" && host !== "node:http2"
  ).map(([name]) => name);
}

/** Registers the table of a host. */
export function register(
  host: Setup["host"],
  start: () => Promise<{ port: number; stop(): Promise<void> }>,
  title: string = host,
): void {
  for (const order of ORDERS) {
    const others = effort.long
      ? OTHERS
      : effort.thorough
      ? THOROUGH_OTHERS
      : QUICK_OTHERS;
    for (const other of order === "alone" ? QUICK_OTHERS : others) {
      // express-session does not know HTTP/2, nor the form `end(callback)`, which h3 uses.
      if (/^h3|http2/.test(host) && /session|all/.test(other)) continue;
      const name = order === "alone" ? "" : `, ${other} ${order} it`;
      Deno.test({
        name:
          `${title}: session()${name} changes nothing in any kind of answer but its own headers`,
        // The storage waits for its engine with one timer, and all hosts on Node are in one process.
        sanitizeOps: false,
        sanitizeResources: false,
        async fn() {
          const { port, stop } = await start();
          try {
            await table({ host, order, other, session: "none" }, port);
          } finally {
            await stop();
          }
        },
      });
    }
  }
}

async function table(setup: Setup, port: number): Promise<void> {
  if (setup.host !== "node:http2") return await compare(setup, port, visit);
  const { send, close } = openHttp2(port);
  try {
    await compare(setup, port, send);
  } finally {
    await close();
  }
}

async function compare(
  setup: Setup,
  port: number,
  send: typeof visit,
): Promise<void> {
  const { body: cookie } = await send(port, { path: "/login" });
  for (const kind of kindsOf(setup.host)) {
    const { path = "", headers = [], ...request } = KINDS[kind] ?? {};
    const ask = (session: Setup["session"], who: string) =>
      send(port, {
        ...request,
        path: `${pathOf({ ...setup, session })}/${
          encodeURIComponent(kind)
        }${path}`,
        headers: [
          ...headers,
          "Accept-Encoding: gzip",
          ...(who.startsWith("signed in")
            ? [`Cookie: ${cookie.split(";")[0]}`]
            : []),
        ],
      }).catch((cause) => {
        throw new Error(rowName(setup, kind, who), { cause });
      });
    const plain = await ask("none", "");
    const answers = await Promise.all(
      VISITORS.map(async ([who, session]) =>
        [who, session, await ask(session, who)] as const
      ),
    );
    for (const [who, , answer] of answers) {
      const row = rowName(kind, who);
      // A save that keeps the id does not send the cookie again.
      const withCookie = who === "a stranger who gets a session" &&
        !/^(500)$/.test(kind);
      assertEquals(
        cookiesOf(answer).includes("__session"),
        withCookie,
        rowName("cookie", row),
      );
      assertEquals(
        cookiesOf(answer).filter((name) => name !== "__session"),
        cookiesOf(plain),
        rowName("other cookies", row),
      );
      const [found, expected] = [
        lasting(answer, withCookie),
        lasting(plain, withCookie),
      ];
      // Compared as text first, because a large difference takes long to print.
      assert(
        JSON.stringify(found) === JSON.stringify(expected),
        `${row}: ${brief(found)} instead of ${brief(expected)}`,
      );
    }
  }
}

function brief(answer: unknown): string {
  const { body, ...rest } = answer as RawAnswer;
  return JSON.stringify({
    ...rest,
    body: body.length > 200 ? `${body.length} bytes` : body,
  });
}

/** The hosts of the quick form. */
const QUICK: readonly string[] = ["Express 5", "Express 4", "node:http"];

await withPackages(
  "Express, compression, express-session, on-headers, h3",
  [
    "npm:express@5.3.0",
    "npm:express@4.22.3",
    "npm:compression@1.8.2",
    "npm:express-session@1.19.0",
    "npm:on-headers@1.1.0",
    "npm:h3@2.0.8",
  ],
  async (): Promise<Packages> => ({
    express5: (await import("npm:express@5.3.0")).default,
    express4: (await import("npm:express@4.22.3")).default,
    compression: (await import("npm:compression@1.8.2")).default,
    expressSession: (await import("npm:express-session@1.19.0")).default,
    onHeaders: (await import("npm:on-headers@1.1.0")).default,
    h3: await import("npm:h3@2.0.8"),
    toNodeHandler: (await import("npm:h3@2.0.8/node")).toNodeHandler,
    writeBody:
      (await import("@react-router/node")).writeReadableStreamToWritable,
  }),
  (packages) => {
    for (const host of HOSTS) {
      if (!effort.thorough && !QUICK.includes(host)) continue;
      register(host, async () => {
        const answers = new Answers(host, packages);
        const port = await answers.start();
        return { port, stop: () => answers.stop() };
      });
    }
    if (effort.thorough) {
      for (const name of ["node20", "node"] as const) registerNode(name);
    }
  },
);

/** Registers the table of all hosts on a version of Node. They are in one process. */
function registerNode(name: "node20" | "node"): void {
  let served: ReturnType<typeof serveOnNode> | undefined;
  for (const [i, host] of HOSTS.entries()) {
    register(host, async () => {
      served ??= serveOnNode(name);
      return { port: (await served).ports[i]!, stop: async () => {} };
    }, `${name}, ${host}`);
  }
  Deno.test({
    name: `${name}: stops`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => await (await served)?.stop(),
  });
}
