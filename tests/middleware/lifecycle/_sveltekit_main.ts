import type { Session } from "../../../core/session.ts";
import {
  session,
  type SvelteKitEventLike,
  type SvelteKitHandle,
} from "../../../middleware/sveltekit.ts";
import { type Data, HandlerError, type Reply } from "./_app.ts";
import { controlled, toResponse } from "./_fetch.ts";
import { app } from "./_node_app.ts";

/** What the application imports from SvelteKit. */
interface Kit {
  redirect(status: number, location: string): never;
  error(status: number): never;
  sequence(...handles: unknown[]): unknown;
}

interface Event extends SvelteKitEventLike {
  readonly url: URL;
  readonly locals: { session: Session<Data>; other: Session<Data> };
}

const twice: SvelteKitHandle = async ({ event, resolve }) => {
  const response = await resolve(event);
  return event.request.url.endsWith("/twice") ? await resolve(event) : response;
};

const control: SvelteKitHandle = async ({ event, resolve }) =>
  await controlled(app, event.request) ?? await resolve(event);

/** The hooks. */
export function hooks({ sequence }: Kit): Record<string, unknown> {
  return {
    handle: sequence(
      control,
      session(app.storage),
      session(app.other, { key: "other", ...app.strict }),
      twice,
    ),
    handleError: ({ error }: { error: unknown }) => app.failed(error),
  };
}

/** The endpoint of every path. */
export function endpoint(
  kit: Kit,
): (event: Event) => Promise<Response | undefined> {
  return async ({ url, request, locals }) => {
    const reply = await app.visit(url.pathname, locals);
    switch (reply.kind) {
      case "redirect":
        kit.redirect(303, reply.to);
        break;
      case "http error":
        kit.error(reply.status);
        break;
      case "throw":
        throw new HandlerError("the handler failed");
      case "shared":
        if (reply.name.endsWith("()")) throw thrown(kit, reply);
    }
    return await toResponse(app, reply, request, () => undefined);
  };
}

/** What `redirect()` or `error()` has thrown once. */
function thrown(kit: Kit, { name }: Extract<Reply, { kind: "shared" }>) {
  return app.share(name, () => {
    try {
      return name === "redirect()"
        ? kit.redirect(303, "/home")
        : kit.error(401);
    } catch (error) {
      return error;
    }
  });
}
