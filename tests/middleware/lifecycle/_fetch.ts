/**
 * Shared by the drivers of frameworks with the Fetch API.
 *
 * @module
 */
import { type App, HandlerError, type Reply } from "./_app.ts";

/** Converts a reply to a `Response`, or throws its error. */
export function toResponse(
  reply: Reply,
  request: Request,
  upgrade: (request: Request) => Response | undefined,
): Response | undefined {
  switch (reply.kind) {
    case "text": {
      const { body, status = 200, headers = [] } = reply;
      return new Response(body, { status, headers });
    }
    case "redirect":
      return Response.redirect(new URL(reply.to, request.url), 303);
    case "stream":
      return new Response(streamOf(reply.onSent));
    case "throw":
      throw new HandlerError("the handler failed");
    case "throw redirect":
      throw Response.redirect(new URL(reply.to, request.url), 303);
    case "nothing":
      return undefined;
    case "upgrade":
      return upgrade(request);
  }
}

/** A body that is made when the server reads it. */
export function streamOf(
  onSent: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull(controller) {
      onSent();
      controller.enqueue(new TextEncoder().encode("streamed"));
      controller.close();
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
