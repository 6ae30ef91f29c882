/**
 * Shared by the drivers of Node's servers. On Deno they use its `node:http`.
 *
 * @module
 */
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type App, HandlerError, type Reply } from "./_app.ts";
import type { Served } from "./_driver.ts";
import { OWN_HEADERS } from "./_fetch.ts";

/** The names of the shared answers of {@linkcode sendReply}. */
export const SHARED_HEADERS = [
  "an object for writeHead()",
  "an array for writeHead()",
  "an array for setHeader()",
] as const;

/** Sends a reply, or throws its error. */
export async function sendReply(
  app: App,
  res: ServerResponse,
  reply: Reply,
): Promise<void> {
  switch (reply.kind) {
    case "text": {
      const headers: Record<string, string | string[]> = {};
      for (const [name, value] of reply.headers ?? []) {
        headers[name] = name in headers
          ? [headers[name]!, value].flat()
          : value;
      }
      res.writeHead(reply.status ?? 200, headers);
      res.end(reply.body ?? undefined);
      return;
    }
    case "redirect":
      res.statusCode = 303;
      res.setHeader("Location", reply.to);
      res.end();
      return;
    case "stream":
      res.writeHead(200, "Fine", ["Content-Type", "text/plain"]);
      res.flushHeaders();
      reply.onSent();
      res.write("stre");
      res.end("amed");
      return;
    case "live":
      res.writeHead(200);
      res.write("first ");
      await reply.rest();
      res.end("last");
      return;
    case "passed": {
      const { status, headers, body } = await fetch(reply.from);
      res.statusCode = status;
      res.setHeader("Set-Cookie", headers.getSetCookie());
      await pipeline(Readable.fromWeb(body as never), res);
      return;
    }
    case "http error":
      res.statusCode = reply.status;
      res.end("refused");
      return;
    case "shared":
      sendShared(app, res, reply.name);
      return;
    case "throw":
      throw new HandlerError("the handler failed");
    case "throw redirect":
      throw Response.redirect(new URL(reply.to, "http://localhost"), 303);
  }
}

/** A body whose second part is made when the first one was written, and with it the headers. */
export function readableOf(onSent: () => void): Readable {
  return Readable.from(
    (async function* () {
      yield "stre";
      onSent();
      yield "amed";
    })(),
    { highWaterMark: 1 },
  );
}

/** Sends an answer whose headers were made once. */
function sendShared(app: App, res: ServerResponse, name: string): void {
  const cookies = ["one=1", "two=2"];
  switch (name) {
    case "an object for writeHead()":
      res.writeHead(
        303,
        app.share(name, () => ({ ...OWN_HEADERS, "Set-Cookie": cookies })),
      );
      break;
    case "an array for writeHead()":
      res.writeHead(
        303,
        app.share(name, () => Object.entries(OWN_HEADERS).flat()),
      );
      break;
    default:
      res.setHeader("Set-Cookie", app.share(name, () => cookies));
  }
  res.end();
}

/** Answers the tests' queries. Returns whether the request was one. */
export function controlledByNode(
  app: App,
  url: string,
  res: ServerResponse,
): boolean {
  if (!url.startsWith("/control/")) return false;
  app.control(url).then((text) => res.end(text));
  return true;
}

/** Starts a server that also accepts WebSockets. */
export async function listen(app: App, server: Server): Promise<Served> {
  server.on("upgrade", (req, socket) => void upgrade(app, req, socket));
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections?.();
      }),
  };
}

/** Handles the `upgrade` event, which does not reach a middleware, as the documentation advises. */
export async function upgrade(
  app: App,
  req: { url?: string | undefined; headers: { cookie?: string | undefined } },
  socket: Duplex,
): Promise<void> {
  const session = await app.storage.getSession(req.headers.cookie);
  const other = await app.other.getSession(req.headers.cookie);
  await app.visit(req.url ?? "", { session, other });
  const setCookie = await app.storage.commitSession(session, { renew: false });
  socket.end([
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ...(setCookie ? [`Set-Cookie: ${setCookie}`] : []),
    "\r\n",
  ].join("\r\n"));
}
