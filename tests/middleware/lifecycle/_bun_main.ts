// deno-lint-ignore-file no-console -- a command: it prints where it listens
/** The application on Bun.serve; bundled and run by bun_serve.ts. */
import { withSession } from "../../../middleware/with_session.ts";
import { App } from "./_app.ts";
import { controlled, pathOf, toResponse } from "./_fetch.ts";

interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
}

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch(
      request: Request,
      server: BunServer,
    ): Promise<Response | undefined>;
    error(error: unknown): Response;
    websocket: { message(): void };
  }): BunServer;
};
declare const process: {
  on(event: string, listener: (reason: unknown) => void): void;
};

const app = new App();
process.on("unhandledRejection", (reason) => app.unhandled(reason));

const handler = withSession(
  app.storage,
  (request, session, server: BunServer) =>
    withSession(app.other, async (_, other) => {
      const visit = async () =>
        toResponse(
          await app.visit(pathOf(request), { session, other }),
          request,
          // Bun answers by itself, and the handler gives nothing.
          (request) => void server.upgrade(request),
        ) as Response;
      if (pathOf(request) === "/twice") await visit();
      return await visit();
    })(request),
);

/** Answers in place of Bun, which takes an error after an upgrade for one that nobody handles. */
function failed(error: unknown): Response {
  app.failed(error);
  return new Response("failed", { status: 500 });
}

const { port } = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: async (request, server) =>
    await controlled(app, request) ??
      await handler(request, server).catch(failed),
  error: failed,
  websocket: { message() {} },
});
console.log(`http://127.0.0.1:${port}`);
