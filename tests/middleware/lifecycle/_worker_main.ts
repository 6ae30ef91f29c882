import { withSession } from "../../../middleware/with_session.ts";
import { App } from "./_app.ts";
import { controlled, pathOf, toResponse } from "./_fetch.ts";

interface Socket extends WebSocket {
  accept(): void;
}

declare const WebSocketPair: new () => { 0: Socket; 1: Socket };

// Created in the first request, because Workers do not allow timers and randomness in global scope.
let app: App | undefined;

function start(): App {
  const started = new App();
  addEventListener(
    "unhandledrejection",
    ({ reason }: PromiseRejectionEvent) => started.unhandled(reason),
  );
  return started;
}

function upgrade(): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.send("hello");
  const init = { status: 101, webSocket: client };
  return new Response(null, init);
}

const worker: { fetch(request: Request): Promise<Response> } = {
  async fetch(request) {
    const { storage, other: second } = app ??= start();
    const { visit } = app;
    const handler = withSession(
      storage,
      (request, session) =>
        withSession(second, async (_, other) => {
          const reply = async () =>
            await toResponse(
              app!,
              await visit.call(app!, pathOf(request), { session, other }),
              request,
              upgrade,
            ) as Response;
          if (pathOf(request) === "/twice") await reply();
          return await reply();
        }, app!.strict)(request),
    );
    try {
      return await controlled(app, request) ?? await handler(request);
    } catch (error) {
      app.failed(error);
      return new Response("failed", { status: 500 });
    }
  },
};

export default worker;
