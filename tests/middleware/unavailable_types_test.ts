/**
 * The answer to an engine that fails is written with the types of the framework: the middlewares themselves know only
 * the parts of them that they use. What matters is that this file compiles.
 */
import type { Context as HonoContext } from "npm:hono@4.13.19";
import type { H3Event } from "npm:h3@2.0.8";
import type {
  Request,
  Response as ExpressResponse,
} from "npm:@types/express@5.0.6";
import { createMemorySessionStorage } from "../../mod.ts";
import { session as express } from "../../middleware/express.ts";
import { session as h3 } from "../../middleware/h3.ts";
import { session as hono } from "../../middleware/hono.ts";

Deno.test("onUnavailable() may name the framework's own types", () => {
  const storage = createMemorySessionStorage();
  hono(storage, {
    onUnavailable: ({ code }, c: HonoContext) => c.text(code, 503),
  });
  h3(storage, {
    onUnavailable({ code }, event: H3Event) {
      event.res.status = 503;
      return code;
    },
  });
  express(storage, {
    onUnavailable: ({ code }, _req: Request, res: ExpressResponse) =>
      void res.status(503).send(code),
  });
  // @ts-expect-error an argument of another type
  hono(storage, { onUnavailable: (_error, _c: string) => new Response() });
});
