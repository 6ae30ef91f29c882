/**
 * Shared by the drivers of frameworks with the Fetch API.
 *
 * @module
 */
import { type App, HandlerError, type Reply } from "./_app.ts";

/** Converts a reply to a `Response`, or throws its error. */
export async function toResponse(
  app: App,
  reply: Reply,
  request: Request,
  upgrade: (request: Request) => Response | undefined,
): Promise<Response | undefined> {
  switch (reply.kind) {
    case "text": {
      const { body, status = 200, headers = [] } = reply;
      // Workers encode a body by its header, unless an option says that it is encoded.
      const manual = body instanceof Uint8Array &&
        { encodeBody: "manual" as const };
      const init = { status, headers, ...manual };
      return new Response(body, init);
    }
    case "redirect":
      return Response.redirect(new URL(reply.to, request.url), 303);
    case "stream":
      return new Response(streamOf(reply.onSent));
    case "live":
      return new Response(liveStream(reply.rest));
    case "passed":
      return await fetch(reply.from);
    case "shared":
      return sharedResponse(app, reply.name);
    case "throw":
      throw new HandlerError("the handler failed");
    case "throw redirect":
      throw Response.redirect(new URL(reply.to, request.url), 303);
    case "http error":
      throw new Response("refused", { status: reply.status });
    case "nothing":
      return undefined;
    case "upgrade":
      return upgrade(request);
  }
}

/** The headers of shared answers. */
export const OWN_HEADERS: Readonly<Record<string, string>> = {
  Location: "http://localhost/home",
  Vary: "Accept-Language",
  "X-Own": "1",
};

/** The names of the answers of {@linkcode sharedResponse}. */
export const SHARED_RESPONSES = [
  "Response",
  "Response.redirect()",
  "thrown Response",
] as const;

/** Returns or throws a `Response` that was made once. */
export function sharedResponse(app: App, name: string): Response {
  if (name === "Headers of a Response") {
    const headers = app.share(name, () => new Headers(OWN_HEADERS));
    return new Response(null, { status: 303, headers });
  }
  const response = app.share(
    name,
    () =>
      name === "Response.redirect()"
        ? Response.redirect("http://localhost/home", 303)
        : new Response(null, { status: 303, headers: OWN_HEADERS }),
  );
  if (name.startsWith("thrown ")) throw response;
  return response;
}

/**
 * A body that is made when the server reads it.
 *
 * @param first A part that comes before `onSent` runs, for servers that send the headers with it.
 */
export function streamOf(
  onSent: () => void,
  first = "",
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let rest = "streamed";
  return new ReadableStream({
    pull(controller) {
      if (first && rest === "streamed") {
        rest = rest.slice(first.length);
        controller.enqueue(encoder.encode(first));
        return;
      }
      onSent();
      controller.enqueue(encoder.encode(rest));
      controller.close();
    },
  }, { highWaterMark: 0 });
}

/** A body whose second part waits. */
export function liveStream(
  rest: () => Promise<unknown>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const parts = ["first ", "last"];
  return new ReadableStream({
    async pull(controller) {
      if (parts.length === 1) await rest();
      controller.enqueue(new TextEncoder().encode(parts.shift()));
      if (parts.length === 0) controller.close();
    },
  }, { highWaterMark: 0 });
}

/** Answers the tests' queries; `undefined` for other requests. */
export async function controlled(
  app: App,
  request: Request,
): Promise<Response | undefined> {
  if (!new URL(request.url).pathname.startsWith("/control/")) return undefined;
  return new Response(await app.control(request.url));
}

/** The path of a request. */
export function pathOf(request: { url: string }): string {
  return new URL(request.url, "http://localhost").pathname;
}
