/**
 * The function that Lambda's runtime loads. The variable `LIFECYCLE_FORMAT` says how it is invoked.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import process from "node:process";
import {
  type LambdaEventLike,
  type LambdaHandler,
  session,
} from "../../../middleware/lambda.ts";
import type { Session } from "../../../core/session.ts";
import { App, type Data, HandlerError, type Reply } from "./_app.ts";
import { liveStream, OWN_HEADERS } from "./_fetch.ts";
import { controlledByNode, listen } from "./_node.ts";

const app = new App();
process.on("unhandledRejection", (reason: unknown) => app.unhandled(reason));
process.on("uncaughtException", (error: unknown) => app.unhandled(error));

const format = process.env["LIFECYCLE_FORMAT"];

interface Event extends LambdaEventLike {
  rawPath?: string;
  path?: string;
}

const inner = (mine: Session<Data>) =>
  session(app.other, async (event: Event, other) => {
    const path = event.rawPath ?? event.path ?? "";
    const visit = async () =>
      await resultOf(await app.visit(path, { session: mine, other }));
    if (path === "/twice") await visit();
    return await visit();
  }, app.strict);

const handle = session(
  app.storage,
  (event: Event, mine, context) => inner(mine)(event, context),
);

const logged: LambdaHandler<Event, unknown> = async (event, ...others) => {
  try {
    return await handle(event, ...others);
  } catch (error) {
    app.failed(error);
    throw error;
  }
};

declare const awslambda: {
  streamifyResponse<T>(handler: T): T;
};

/** The function. */
export const handler: LambdaHandler<Event, unknown> = format === "stream"
  ? awslambda.streamifyResponse(logged)
  : logged;

/** Converts a reply to a result, or throws its error. */
async function resultOf(reply: Reply): Promise<unknown> {
  switch (reply.kind) {
    case "text": {
      const { body, status: statusCode = 200, headers = [] } = reply;
      return body instanceof Uint8Array
        ? {
          statusCode,
          ...fields(headers),
          body: Buffer.from(body).toString("base64"),
          isBase64Encoded: true,
        }
        : { statusCode, ...fields(headers), body: body ?? "" };
    }
    case "redirect":
      return { statusCode: 303, headers: { Location: reply.to } };
    case "stream":
      return format === "stream"
        ? { statusCode: 200, body: late(reply.onSent) }
        : {
          statusCode: 200,
          // The runtime makes JSON of it when the handlers have returned.
          body: {
            toJSON() {
              reply.onSent();
              return "streamed";
            },
          },
        };
    case "live":
      return {
        statusCode: 200,
        body: format === "stream"
          ? liveStream(reply.rest)
          : `first ${await reply.rest() && "last"}`,
      };
    case "passed": {
      const response = await fetch(reply.from);
      const headers = [...response.headers].filter(([name]) =>
        !/^(content-(encoding|length)|connection|keep-alive|date)$/.test(name)
      );
      return {
        statusCode: response.status,
        ...fields(headers),
        body: await response.text(),
      };
    }
    case "shared":
      return app.share(
        reply.name,
        () =>
          reply.name === "a text"
            ? "answered"
            : reply.name === "a value"
            ? { ok: true }
            : { statusCode: 303, headers: OWN_HEADERS },
      );
    case "http error":
      return { statusCode: reply.status, body: "refused" };
    case "throw":
      throw new HandlerError("the handler failed");
    case "throw redirect":
      throw { statusCode: 303, headers: { Location: reply.to } };
  }
}

/** The fields of a result that hold its headers. */
function fields(headers: [string, string][]): object {
  const isCookie = ([name]: [string, string]) => /^set-cookie$/i.test(name);
  const cookies = headers.filter(isCookie).map(([, value]) => value);
  const others = headers.filter((each) => !isCookie(each));
  return {
    headers: Object.fromEntries(others),
    ...cookies.length > 0 &&
      (format === "1.0"
        ? { multiValueHeaders: { "Set-Cookie": cookies } }
        : { cookies }),
  };
}

async function* late(onSent: () => void): AsyncIterable<string> {
  onSent();
  yield "streamed";
}

// The tests' queries do not wait for an invocation: this function, like those on Lambda, runs one after the other.
const control = await listen(
  app,
  createServer((req, res) => void controlledByNode(app, req.url ?? "", res)),
);
process.stdout.write(`${control.origin}\n`);
