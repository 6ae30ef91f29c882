/**
 * The kinds of answer that applications on Node send.
 *
 * @module
 */
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { request as httpRequest } from "node:http";
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { createSession } from "../../../core/session.ts";
import { text } from "./_text.ts";

// deno-lint-ignore no-explicit-any -- Node's and Express's responses
type Any = any;

/** What handlers use besides the request and the response. */
export interface Tools {
  /** A folder with `small.css` and `large.txt`. */
  readonly dir: string;
  /** The URL of an application to pass answers on from. It uses HTTP/1.1. */
  readonly upstream: string;
  /** Serves the folder, in Express. */
  readonly files?: (req: Any, res: Any, next: Any) => void;
  /** Runs a loader, in Express. */
  readonly loader?: (run: () => unknown) => Any;
  /** React Router's own function for bodies. */
  readonly writeBody?: (body: ReadableStream, res: Any) => Promise<void>;
}

/** A kind of answer. */
export interface Kind {
  /** The hosts that can send it. @default {every one but h3} */
  readonly on?: "express" | "http1";
  /** @default {GET} */
  readonly method?: string;
  /** Headers of the request. */
  readonly headers?: readonly string[];
  /** The request's body. */
  readonly body?: string;
  /** The visitor leaves when this much of the body has come. */
  readonly until?: string;
  /** The request goes to a path below the kind's. */
  readonly path?: string;
  send(req: Any, res: Any, tools: Tools): unknown;
}

/** Made once, for all visitors. */
const SHARED = Object.freeze({
  "Content-Type": "text/plain",
  "X-Shared": "yes",
  "x-Case": "Kept",
});

const PART = text(16_384);

/** Parts that come one after another, each in a later turn of the event loop. */
async function* later(count: number): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    yield `${i} ${PART}`;
  }
}

function bodyOf(count: number): ReadableStream<Uint8Array> {
  return Readable.toWeb(
    Readable.from(later(count)).map((part: string) =>
      new TextEncoder().encode(part)
    ),
  ) as ReadableStream<Uint8Array>;
}

/** Every kind, by name. */
export const KINDS: Readonly<Record<string, Kind>> = {
  "end with a text": {
    send(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      res.end("a text");
    },
  },
  "end without a body": {
    send: (_req, res) => res.end(),
  },
  "end with bytes": {
    send(_req, res) {
      res.statusCode = 201;
      res.end(new Uint8Array([1, 2, 3, 255]));
    },
  },
  "end with an encoding": {
    send: (_req, res) => res.end("68656c6c6f", "hex"),
  },
  "more than 1 MB at once": {
    send(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      res.end(text(1_200_000));
    },
  },
  "204": {
    send(_req, res) {
      res.statusCode = 204;
      res.end();
    },
  },
  "500": {
    send(_req, res) {
      res.statusCode = 500;
      res.setHeader("Content-Type", "text/plain");
      res.write("an error ");
      res.end("page");
    },
  },
  "a body for HEAD": {
    method: "HEAD",
    send(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      res.setHeader("Content-Length", 6);
      res.write("a text");
      res.end();
    },
  },
  "writeHead with a text and an object made once": {
    on: "http1",
    send(_req, res) {
      res.setHeader("X-Before", "1");
      res.writeHead(202, "Fine", SHARED);
      res.write("made ");
      res.end("once");
    },
  },
  "writeHead with an object made once": {
    send(_req, res) {
      res.writeHead(202, SHARED);
      res.end("made once");
    },
  },
  "writeHead with a list": {
    on: "http1",
    send(_req, res) {
      // Without a name twice: some versions of Node then drop one.
      const list = ["Content-Type", "text/css", "X-A", "1", "x-B", "2"];
      res.writeHead(200, list);
      res.end("a {}");
    },
  },
  "writeHead with the length": {
    send(_req, res) {
      res.writeHead(200, { "Content-Length": 4, "Content-Type": "text/css" });
      res.end("a {}");
    },
  },
  "parts in one turn": {
    send(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      for (let i = 0; i < 20; i++) res.write(`${i} ${PART}`);
      res.end("!");
    },
  },
  "parts in later turns": {
    async send(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      for await (const part of later(10)) res.write(part);
      res.end("!");
    },
  },
  "parts that wait for their callback": {
    async send(_req, res) {
      // Compression does not call it.
      res.setHeader("Cache-Control", "no-transform");
      for await (const part of later(10)) {
        await new Promise((resolve) => res.write(part, resolve));
      }
      res.end();
    },
  },
  "a loop that waits for drain": {
    async send(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      // Less than eleven parts, because compression never removes a listener for drain.
      for (let i = 0; i < 9; i++) {
        if (!res.write(`${i} ${text(70_000)}`)) await once(res, "drain");
      }
      res.end();
    },
  },
  "corked parts": {
    send(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      res.cork?.();
      res.write("a");
      res.write("b");
      res.uncork?.();
      res.end("c");
    },
  },
  "flushHeaders, then parts": {
    async send(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      res.flushHeaders();
      for await (const part of later(4)) res.write(part);
      res.end();
    },
  },
  "flushed events": {
    async send(_req, res) {
      res.writeHead(200, { "Content-Type": "text/event-stream" });
      for (let i = 0; i < 3; i++) {
        res.write(`data: ${i}\n\n`);
        res.flush?.();
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      res.end();
    },
  },
  "trailers": {
    on: "http1",
    send(_req, res) {
      res.writeHead(200, { "Content-Type": "x/y", "Trailer": "X-Sum" });
      res.write("a");
      res.addTrailers({ "X-Sum": "1" });
      res.end("b");
    },
  },
  "pipe of a file": {
    send(_req, res, { dir }) {
      res.setHeader("Content-Type", "text/plain");
      createReadStream(`${dir}/large.txt`).pipe(res);
    },
  },
  "pipe of a file with its length": {
    send(_req, res, { dir }) {
      res.writeHead(200, { "Content-Length": text(300_000).length });
      createReadStream(`${dir}/large.txt`).pipe(res);
    },
  },
  "pipeline of a file": {
    send: (_req, res, { dir }) =>
      pipeline(createReadStream(`${dir}/large.txt`), res, () => {}),
  },
  "pipeline of a generator": {
    send(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      pipeline(later(30), res, () => {});
    },
  },
  "pipeline through the application's own gzip": {
    send(_req, res, { dir }) {
      res.setHeader("Content-Type", "text/plain");
      res.setHeader("Content-Encoding", "gzip");
      pipeline(
        createReadStream(`${dir}/large.txt`),
        createGzip(),
        res,
        () => {},
      );
    },
  },
  "the request's body": {
    method: "POST",
    headers: ["Content-Length: 100000"],
    body: text(100_000),
    send: (req, res) => req.pipe(res),
  },
  "an answer of fetch()": {
    async send(_req, res, { upstream }) {
      const response = await fetch(upstream);
      res.setHeader("Content-Type", response.headers.get("Content-Type"));
      Readable.fromWeb(response.body as Any).pipe(res);
    },
  },
  "an answer of http.request()": {
    on: "http1",
    send(_req, res, { upstream }) {
      httpRequest(upstream, { agent: false }, (answer) => {
        res.writeHead(answer.statusCode, answer.headers);
        answer.pipe(res);
      }).end();
    },
  },
  "a web stream, as React Router writes it": {
    on: "http1",
    async send(_req, res, { writeBody }) {
      res.statusMessage = "OK";
      res.setHeader("Content-Type", "text/plain");
      res.flushHeaders();
      await writeBody!(bodyOf(10), res);
    },
  },
  "a visitor who leaves": {
    until: "first",
    async send(_req, res) {
      res.setHeader("Content-Type", "text/event-stream");
      res.setHeader("Cache-Control", "no-transform");
      res.write("first");
      await once(res, "close");
      res.write("never");
      res.end();
    },
  },
  "send": {
    on: "express",
    send: (_req, res) => res.send(`<p>${PART}</p>`),
  },
  "send for HEAD": {
    on: "express",
    method: "HEAD",
    send: (_req, res) => res.send(`<p>${PART}</p>`),
  },
  "send, not modified": {
    on: "express",
    headers: ["If-None-Match: *"],
    send: (_req, res) => res.send(`<p>${PART}</p>`),
  },
  "json": {
    on: "express",
    send: (_req, res) => res.status(201).json({ a: [1, "é"] }),
  },
  "redirect": {
    on: "express",
    send: (_req, res) => res.redirect(303, "/elsewhere"),
  },
  "sendFile": {
    on: "express",
    send: (_req, res, { dir }) => res.sendFile(`${dir}/large.txt`),
  },
  "sendFile, not modified": {
    on: "express",
    headers: ["If-None-Match: *"],
    send: (_req, res, { dir }) => res.sendFile(`${dir}/large.txt`),
  },
  "sendStatus": {
    on: "express",
    send: (_req, res) => res.sendStatus(404),
  },
  "a static file": {
    on: "express",
    path: "/small.css",
    send: (req, res, { files }) => files!(req, res, () => res.end("none")),
  },
  "a range of a static file": {
    on: "express",
    path: "/large.txt",
    headers: ["Range: bytes=1000-200000"],
    send: (req, res, { files }) => files!(req, res, () => res.end("none")),
  },
  "a range that does not exist": {
    on: "express",
    path: "/small.css",
    headers: ["Range: bytes=1000000-"],
    send: (req, res, { files }) => files!(req, res, () => res.end("none")),
  },
  "a loader's data": {
    on: "express",
    send: (req, res, { loader }) =>
      loader!(() => ({ a: 1 }))(forLoader(req), res, res.destroy),
  },
  "a loader's stream": {
    on: "express",
    send: (req, res, { loader }) =>
      loader!(() =>
        new Response(bodyOf(30), { headers: { "Content-Type": "text/plain" } })
      )(forLoader(req), res, res.destroy),
  },
};

/** A loader takes its session from `session`, where other middlewares have theirs here. */
function forLoader(req: Any): unknown {
  return Object.create(req, {
    session: { value: req.mine ?? createSession() },
  });
}
