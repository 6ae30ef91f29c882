/**
 * Runs inside the measured runtime: `http_server.mjs NAME KIND` serves one library on the runtime's own server, by
 * `Deno.serve`, `Bun.serve` or `node:http`, and prints its port.
 *
 * The path says what the handler does: `/begin` fills a session, `/read` reads a string, `/change` sets a number, and
 * `/usage` says what the process has used. The library `bare` has no session.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- prints its port
import { session as onNode } from "@satchel/session/middleware/node";
import { withSession } from "@satchel/session";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { floors } from "./floors.ts";
import { OURS, PEERS, STORAGES } from "./peers.ts";
import {
  type Kind,
  sessionOf,
  type Subject,
  useMethods,
  useProperties,
  type Visit,
} from "./visit.ts";

const [name = "bare", kind = "signed"] = process.argv.slice(2);
let requests = 0;

/** The visit that a path asks for. */
function visitOf(path: string, cookie: string | null): Visit {
  requests++;
  const set = path === "/change"
    ? { visits: requests }
    : path === "/begin"
    ? sessionOf("S", requests)
    : undefined;
  return { cookie, get: "userId", set, ends: true, got: undefined };
}

/** The answer's text: a `/read` that finds no session is seen by it. */
function textOf({ set, got }: Visit): string {
  return set ? "changed" : `Hello ${got}`;
}

function usage(): string {
  const { user, system } = process.cpuUsage();
  return JSON.stringify({
    cpu: user + system,
    memory: process.memoryUsage().rss,
  });
}

const bare: Subject = {
  name: "bare",
  kind: "signed",
  handle(visit) {
    visit.got = "you";
    return "";
  },
};

async function subjectOf(): Promise<Subject> {
  const same = (other: { name: string; kind: Kind }) =>
    other.name === name && other.kind === kind;
  const subject = floors().find(same) ?? await PEERS.find(same)?.make();
  return subject ?? bare;
}

type Fetch = (request: Request) => Response | Promise<Response>;
type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

function pathOf({ url }: Request): string {
  return url.slice(url.lastIndexOf("/"));
}

async function fetchHandler(): Promise<Fetch> {
  if (name === OURS) {
    return withSession(STORAGES[kind as Kind](), (request, session) => {
      const visit = visitOf(pathOf(request), null);
      useMethods(visit, session);
      return new Response(textOf(visit));
    });
  }
  const subject = await subjectOf();
  return async (request) => {
    const cookie = request.headers.get("cookie");
    const visit = visitOf(pathOf(request), cookie);
    const answer = [await subject.handle(visit)].flat().filter(Boolean);
    const headers = answer.map((header) => ["Set-Cookie", header] as const);
    return new Response(
      textOf(visit),
      headers.length > 0 ? { headers: headers as [string, string][] } : {},
    );
  };
}

function send(res: ServerResponse, visit: Visit): void {
  const text = textOf(visit);
  // Otherwise Node sends chunks, without the length.
  res.setHeader("Content-Length", text.length);
  res.end(text);
}

async function listener(): Promise<Listener> {
  if (name === OURS) {
    return onNode(STORAGES[kind as Kind](), (req, res, session) => {
      const visit = visitOf(req.url ?? "", null);
      useMethods(visit, session);
      send(res, visit);
    });
  }
  const { middleware, handle } = await subjectOf();
  if (middleware) {
    return (req, res) =>
      middleware(req, res, () => {
        const visit = visitOf(req.url ?? "", null);
        const { session } = req as { session?: Record<string, unknown> };
        useProperties(visit, session ?? {});
        send(res, visit);
      });
  }
  return async (req, res) => {
    const visit = visitOf(req.url ?? "", req.headers.cookie ?? null);
    const answer = [await handle(visit)].flat().filter(Boolean);
    if (answer.length > 0) res.setHeader("Set-Cookie", answer);
    send(res, visit);
  };
}

/** Bun, as far as this needs it. */
interface Bun {
  serve(
    options: {
      port: number;
      hostname: string;
      idleTimeout: number;
      fetch: Fetch;
    },
  ): { port: number };
}

const { Bun: bun } = globalThis as { Bun?: Bun };
const here = { port: 0, hostname: "127.0.0.1" };
if (bun || "Deno" in globalThis) {
  const handler = await fetchHandler();
  const fetch: Fetch = (request) =>
    pathOf(request) === "/usage" ? new Response(usage()) : handler(request);
  if (bun) console.log(bun.serve({ ...here, idleTimeout: 255, fetch }).port);
  else {Deno.serve({
      ...here,
      onListen: ({ port }) => console.log(port),
    }, fetch);}
} else {
  const handler = await listener();
  const server = createServer((req, res) =>
    req.url === "/usage" ? res.end(usage()) : handler(req, res)
  );
  // Connections wait while other servers have their turns.
  server.keepAliveTimeout = 0;
  server.listen(here.port, here.hostname, () => {
    console.log((server.address() as AddressInfo).port);
  });
}
