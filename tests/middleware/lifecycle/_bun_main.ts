// deno-lint-ignore-file no-console -- prints its origin
import process from "node:process";
import { withSession } from "../../../middleware/with_session.ts";
import { App } from "./_app.ts";
import { controlled, pathOf, toResponse } from "./_fetch.ts";

interface BunServer {
  url: URL;
  upgrade(request: Request, options?: object): boolean;
}

declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    fetch(
      request: Request,
      server: BunServer,
    ): Promise<Response | undefined>;
    error(error: unknown): Response;
    websocket: object;
  }): BunServer;
};

const app = new App();
process.on("unhandledRejection", (reason: unknown) => app.unhandled(reason));

const handler = withSession(
  app.storage,
  (request, session, server: BunServer) =>
    withSession(app.other, async (_, other) => {
      const visit = async () =>
        await toResponse(
          app,
          await app.visit(pathOf(request), { session, other }),
          request,
          () => {
            // As in Bun's guide: Bun sends the response itself, if the upgrade succeeds.
            if (session.dirty) return undefined;
            server.upgrade(request);
            return undefined;
          },
        );
      if (pathOf(request) === "/twice") await visit();
      return await visit();
    }, app.strict)(request),
);

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: async (request, server) =>
    await controlled(app, request) ?? await handler(request, server),
  error(error) {
    app.failed(error);
    return new Response("failed", { status: 500 });
  },
  websocket: { message() {} },
});
console.log(server.url.origin);
