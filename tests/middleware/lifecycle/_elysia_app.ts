import type * as elysia from "npm:elysia@1.4.30";
import { session } from "../../../middleware/elysia.ts";
import { type App, HandlerError } from "./_app.ts";
import { controlled, pathOf, streamOf, toResponse } from "./_fetch.ts";

/** Builds the application with Elysia. */
export function elysiaApp(
  { Elysia, status }: typeof elysia,
  app: App,
  options: object,
  // deno-lint-ignore no-explicit-any -- Elysia's type of an application lists all its routes
): any {
  const shared: Record<string, () => unknown> = {
    "status()": () => status(401, "refused"),
    "an object": () => ({ ok: true }),
  };
  return new Elysia(options)
    .onRequest(async ({ request }) => {
      return await controlled(app, request);
    })
    .use(session(app.storage))
    .use(session(app.other, { key: "other", ...app.strict }))
    .onError(({ error }) => {
      if (!(error instanceof Error) || "status" in error) return;
      app.failed(error);
      return new Response("failed", { status: 500 });
    })
    .ws("/upgrade", {
      beforeHandle: async (sessions) =>
        void await app.visit("/upgrade", sessions),
    })
    .ws("/upgrade-changed", {
      beforeHandle: async (sessions) =>
        void await app.visit("/upgrade-changed", sessions),
    })
    .all("/*", async ({ request, session, other, set, redirect }) => {
      const path = pathOf(request);
      // Elysia has no middleware that could run a handler twice.
      if (path === "/twice") await app.visit(path, { session, other });
      const reply = await app.visit(path, { session, other });
      switch (reply.kind) {
        case "text": {
          if (!(typeof reply.body === "string")) break;
          const { body, headers = [] } = reply;
          const cookies = headers.filter(([name]) => name === "Set-Cookie");
          Object.assign(
            set.headers,
            Object.fromEntries(
              headers.filter((each) => !cookies.includes(each)),
            ),
            cookies[0] && { "set-cookie": cookies.map(([, value]) => value) },
          );
          set.status = reply.status ?? 200;
          return body;
        }
        case "redirect":
          return redirect(new URL(reply.to, request.url).href, 303);
        case "stream":
          // Elysia makes the response, and on Node it sends such a response in its own way.
          return streamOf(reply.onSent, "stream");
        case "nothing":
          return;
        case "throw":
          throw new HandlerError("the handler failed");
        case "http error":
          throw status(reply.status as 401, "refused");
        case "shared": {
          const make = shared[reply.name];
          if (!make) break;
          return app.share(reply.name, make);
        }
      }
      return await toResponse(app, reply, request, () => undefined);
    });
}
