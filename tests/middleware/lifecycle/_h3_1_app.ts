import type { IncomingMessage, ServerResponse } from "node:http";
import type * as h3 from "npm:h3@1.15.11";
import { type NitroPlugin, session } from "../../../middleware/nitro.ts";
import type { Session } from "../../../core/session.ts";
import { type App, type Data, HandlerError } from "./_app.ts";
import { liveStream, OWN_HEADERS, pathOf, streamOf } from "./_fetch.ts";
import { sendReply } from "./_node.ts";

/** What the handlers use of h3. */
export type H3 = Pick<
  typeof h3,
  "createError" | "eventHandler" | "sendRedirect" | "setResponseStatus"
>;

/** The answers that were made once. */
export const SHARED = [
  "an object",
  "a string",
  "thrown createError()",
  "returned createError()",
  "Response",
] as const;

/** The sessions of the application, mounted. */
export function mountBoth(app: App): NitroPlugin {
  return (nitro) => {
    session(app.other, { key: "other", ...app.strict })(nitro);
    session(app.storage)(nitro);
  };
}

/** The handler of every path. */
export function handlerOf(app: App, h3: H3): h3.EventHandler {
  return h3.eventHandler(async (event) => {
    const { req, res } = event.node as {
      req: IncomingMessage;
      res: ServerResponse;
    };
    const path = pathOf({ url: req.url ?? "" });
    const { session, other } = event.context as unknown as {
      session: Session<Data>;
      other: Session<Data>;
    };
    // h3 1 has no middleware that could run a handler twice.
    if (path === "/twice") await app.visit(path, { session, other });
    const reply = await app.visit(path, { session, other });
    switch (reply.kind) {
      case "text": {
        const { body, status = 200, headers = [] } = reply;
        for (const [name, value] of headers) res.appendHeader(name, value);
        h3.setResponseStatus(event, status);
        return body;
      }
      case "redirect":
        return await h3.sendRedirect(event, reply.to, 303);
      case "stream":
        return streamOf(reply.onSent, "stre");
      case "live":
        return liveStream(reply.rest);
      case "passed": {
        const response = await fetch(reply.from);
        const headers = new Headers(response.headers);
        // fetch() has decoded the body.
        headers.delete("Content-Encoding");
        headers.delete("Content-Length");
        const { status } = response;
        return new Response(response.body, { status, headers });
      }
      case "nothing":
        return null;
      case "throw":
        throw new HandlerError("the handler failed");
      case "throw redirect":
        throw Response.redirect(new URL(reply.to, "http://localhost"), 303);
      case "http error":
        throw h3.createError({ statusCode: reply.status });
      case "shared":
        return shared(app, reply.name, h3);
    }
    return await sendReply(app, res, reply);
  });
}

/** An answer that was made once. */
function shared(app: App, name: string, h3: H3): unknown {
  const answer = app.share(name, () => {
    switch (name) {
      case "an object":
        return { ok: true };
      case "a string":
        return "ok";
      case "Response":
        return new Response(null, { status: 303, headers: OWN_HEADERS });
      default:
        return h3.createError({ statusCode: 401 });
    }
  });
  if (name.startsWith("thrown")) throw answer;
  return answer;
}
