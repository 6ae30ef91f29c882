import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import type { Session } from "../../../core/session.ts";
import { session, type SessionRequest } from "../../../middleware/fastify.ts";
import { App, type Data, HandlerError, type Reply } from "./_app.ts";
import type { Driver, Served } from "./_driver.ts";
import { liveStream, OWN_HEADERS, sharedResponse } from "./_fetch.ts";
import {
  controlledByNode,
  listen,
  readableOf,
  sendReply,
  SHARED_HEADERS,
} from "./_node.ts";

/** Fastify 5. */
export const fastify: Driver = {
  name: "Fastify",
  answers: [
    ...SHARED_HEADERS,
    "an object for reply.headers()",
    "an object for reply.send()",
    "a Response",
    "thrown HttpError",
  ],
  traits: {
    thrownResponse: "error",
    httpError: "answer",
    errorPage: "cleared",
    twice: 1,
    nothing: "answer",
    upgrade: "sent",
  },
  packages: ["npm:fastify@5.12.8", "npm:http-errors@2.0.1"],
  async serve() {
    return await serveFastify((await import("npm:fastify@5.12.8")).fastify);
  },
};

/** Fastify 4. */
export const fastify4: Driver = {
  ...fastify,
  name: "Fastify 4",
  packages: ["npm:fastify@4.29.1", "npm:http-errors@2.0.1"],
  async serve() {
    return await serveFastify((await import("npm:fastify@4.29.1")).fastify);
  },
};

/** Passes on what another server has answered. Fastify would also send the headers of a body that fetch() has decoded. */
function pass({ status, headers, body }: Response, reply: Any): unknown {
  return reply.code(status).header("Set-Cookie", headers.getSetCookie())
    .send(Readable.fromWeb(body as Any));
}

async function serveFastify(create: () => Any): Promise<Served> {
  const { default: createError } = await import("npm:http-errors@2.0.1");
  const app = new App();
  const server = create();
  server.addHook("onRequest", (request: Any, reply: Any, done: () => void) => {
    if (!controlledByNode(app, request.raw.url, reply.raw)) done();
    else reply.hijack();
  });
  server.register(session(app.storage));
  server.register(session(app.other, { key: "other", ...app.strict }));
  server.setErrorHandler((error: unknown, _request: Any, reply: Any) => {
    app.failed(error);
    const { statusCode = 500 } = error instanceof Error ? error as Any : {};
    reply.code(statusCode).send("failed");
  });
  const share = (name: string, reply: Any) => {
    switch (name) {
      case "an object for reply.headers()":
        reply.headers(app.share(name, () => ({ ...OWN_HEADERS })));
        return reply.code(303).send();
      case "an object for reply.send()":
        return reply.send(app.share(name, () => ({ ok: true })));
      case "a Response":
        return reply.send(sharedResponse(app, name));
      case "thrown HttpError":
        throw app.share(name, () => createError(401));
    }
    return undefined;
  };
  const handle = async (request: Any, reply: Any) => {
    const [path] = request.url.split("?");
    const sessions = request as
      & SessionRequest<typeof app.storage>
      & { other: Session<Data> };
    const answer: Reply = await app.visit(path, sessions);
    switch (answer.kind) {
      case "text": {
        const { body, status = 200, headers = [] } = answer;
        for (const [name, value] of headers) reply.header(name, value);
        return reply.code(status).send(
          body instanceof Uint8Array ? Buffer.from(body) : body ?? undefined,
        );
      }
      case "redirect":
        return reply.code(303).header("Location", answer.to).send();
      case "stream":
        return reply.send(readableOf(answer.onSent));
      case "live":
        return reply.send(Readable.fromWeb(liveStream(answer.rest) as Any));
      case "passed":
        return await pass(await fetch(answer.from), reply);
      case "throw":
        throw new HandlerError("the handler failed");
      case "http error":
        throw createError(answer.status);
      case "nothing":
        return undefined;
      case "shared": {
        const sent = share(answer.name, reply);
        if (sent) return sent;
        break;
      }
      case "throw redirect":
        return await sendReply(app, reply.raw, answer);
    }
    reply.hijack();
    return await sendReply(app, reply.raw, answer);
  };
  server.addHook("preHandler", (request: Any, reply: Any, done: () => void) => {
    if (request.url === "/twice") reply.raw.on("finish", () => done());
    done();
  });
  server.all("/*", handle);
  await server.ready();
  return await listen(app, server.server);
}

// deno-lint-ignore no-explicit-any -- Fastify's types are those of one major version
type Any = any;
