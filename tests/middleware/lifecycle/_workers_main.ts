/** The application as a Worker; bundled and run by workers.ts. */
import { withSession } from "../../../middleware/with_session.ts";
import { App } from "./_app.ts";
import { controlled, pathOf, toResponse } from "./_fetch.ts";

declare const WebSocketPair: new () => {
  0: object;
  1: { accept(): void; send(text: string): void };
};

const app = new App();
addEventListener("unhandledrejection", (event) => app.unhandled(event.reason));

function upgrade(): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.send("hello");
  return new Response(null, {
    status: 101,
    webSocket: client,
  } as ResponseInit);
}

const handler = withSession(
  app.storage,
  (request, session) =>
    withSession(app.other, async (_, other) => {
      const visit = async () =>
        toResponse(
          await app.visit(pathOf(request), { session, other }),
          request,
          upgrade,
        ) as Response;
      if (pathOf(request) === "/twice") await visit();
      return await visit();
    })(request),
);

const worker: { fetch(request: Request): Promise<Response> } = {
  async fetch(request) {
    try {
      return await controlled(app, request) ?? await handler(request);
    } catch (error) {
      app.failed(error);
      return new Response("failed", { status: 500 });
    }
  },
};
export default worker;
