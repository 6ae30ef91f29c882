import type { Session } from "../../../core/session.ts";
import { nested } from "../../../middleware/lifecycle/nested.ts";
import { respond } from "../../../middleware/lifecycle/response.ts";
import { createMemorySessionStorage } from "../../../storage/memory.ts";

const storage = createMemorySessionStorage({ cookie: {} });

async function visit(
  request: Request,
  handle: (session: Session) => Promise<Response>,
): Promise<Response> {
  const exchange = { request, nesting: nested("same-cookie"), handle };
  return await respond(storage, exchange) as Response;
}

const worker: { fetch(request: Request): Promise<Response> } = {
  fetch: (request) =>
    visit(request, async (outer) => {
      outer.set("outer", 1);
      await Promise.resolve();
      return await visit(
        new Request(request),
        async (inner) => Response.json(inner === outer),
      );
    }),
};

export default worker;
