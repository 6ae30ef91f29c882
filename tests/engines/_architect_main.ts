/**
 * Architect's own client, in a process of its own, because it takes its settings from the environment once.
 *
 * The port of a DynamoDB is its argument; a report in JSON is its output.
 */
// deno-lint-ignore-file no-console -- a command
import { checkStorage } from "../../conformance/mod.ts";
import {
  type ArcTablesLike,
  createArcTableSessionStorage,
  createCookie,
} from "../../mod.ts";
import { DynamoDBBackend } from "../../storage/_dynamodb_backend.ts";
import { engineTarget } from "../conformance/targets.ts";
import { cookieHeader } from "../core/_support.ts";

const port = Number(Deno.args[0]);

/** The names that `app.arc` declares: one for the documented call, and one for each rule of the suite. */
const NAMES = ["sessions", ...Array.from({ length: 400 }, (_, i) => `t${i}`)];

// Architect learns an application's tables from AWS's parameter store.
const discovery = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen() {} },
  () =>
    Response.json({
      Parameters: NAMES.map((name) => ({
        Name: `/ArcApp-testing/tables/${name}`,
        Value: `arc-${name}`,
      })),
    }),
);
Deno.env.set("AWS_ACCESS_KEY_ID", "local");
Deno.env.set("AWS_SECRET_ACCESS_KEY", "local");
Deno.env.set("ARC_ENV", "testing");
Deno.env.set(
  "ARC_SANDBOX",
  JSON.stringify({
    version: "8.0.0",
    ports: { tables: port, _arc: discovery.addr.port },
  }),
);

/** The guide's example. */
async function documented(): Promise<Record<string, unknown>> {
  const sessionCookie = createCookie("__session", {
    secrets: ["r3m1xr0ck5"],
    maxAge: 3600,
    sameSite: true,
  });
  const { getSession, commitSession, destroySession } =
    createArcTableSessionStorage({
      // The name of the table (should match app.arc)
      table: "sessions",
      // The name of the key used to store the session ID (should match app.arc)
      idx: "_idx",
      // The name of the key used to store the expiration time (should match app.arc)
      ttl: "_ttl",
      cookie: sessionCookie,
    });
  const session = await getSession();
  session.set("userId", "u1");
  const setCookie = await commitSession(session);
  const again = await getSession(cookieHeader(setCookie));
  const userId = again.get("userId");
  const cleared = await destroySession(again);
  const gone = (await getSession(cookieHeader(setCookie))).size === 0;
  return { setCookie, userId, cleared, gone };
}

const example = await documented();

const { default: arc } = await import("npm:@architect/functions@^8.1.10");
const client = arc.tables() as Promise<ArcTablesLike>;
const tables = new Map<string, string>();
const report = await checkStorage(
  engineTarget("Architect", ({ namespace }) => {
    const table = tables.get(namespace) ?? `t${tables.size}`;
    tables.set(namespace, table);
    return new DynamoDBBackend(client, { table });
  }, ["durable"]),
);
const failures = report.results.filter(({ outcome }) =>
  outcome === "fail" || outcome === "error" || outcome === "not-run"
);
console.log(JSON.stringify({
  example,
  namespaces: tables.size,
  verdict: report.verdict,
  failures,
}));
await discovery.shutdown();
Deno.exit(0);
