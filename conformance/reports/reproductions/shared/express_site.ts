/** A site with the middleware of express-session, and one with that of @fastify/session. */
import fastifyCookie from "npm:@fastify/cookie@11.1.5";
import fastifySession from "npm:@fastify/session@11.1.3";
import session from "npm:express-session@1.19.0";
import fastify from "npm:fastify@5.12.8";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";

/** A page; it can wait for other requests. */
// deno-lint-ignore no-explicit-any -- requests of two frameworks
export type Page = (request: any) => unknown;

/** Sends a request. Returns the cookie that the browser then has. */
export type Visit = (cookie: string | null, page?: Page) => Promise<string>;

/** The lifetime of the site's sessions, in milliseconds. */
export interface SiteOptions {
  readonly maxAge?: number;
}

/** A store of one of several packages. */
// deno-lint-ignore no-explicit-any -- their types differ
export type AnyStore = { get: any; set: any; destroy: any };

/** A site with express-session, as its documentation recommends. */
export function expressSite(
  store: AnyStore,
  { maxAge }: SiteOptions = {},
): Visit {
  const middleware = session({
    store: store as session.Store,
    secret: "s3cr3t",
    resave: false,
    saveUninitialized: false,
    ...maxAge === undefined ? {} : { cookie: { maxAge } },
  });
  return (cookie, page = () => {}) =>
    new Promise((resolve, reject) => {
      const request = Object.assign(new IncomingMessage(new Socket()), {
        url: "/",
        originalUrl: "/",
        headers: cookie ? { cookie } : {},
      });
      const response = new ServerResponse(request);
      // The middleware calls it when the session is saved.
      response.end = () => {
        if (!response.headersSent) response.writeHead(200);
        resolve(received(response.getHeader("set-cookie"), cookie));
        return response;
      };
      // deno-lint-ignore no-explicit-any -- Express's types
      middleware(request as any, response as any, async (error?: unknown) => {
        if (error) return reject(error);
        try {
          await page(request);
          response.end();
        } catch (error) {
          reject(error);
        }
      });
    });
}

/** A site with @fastify/session. */
export function fastifySite(
  store: AnyStore,
  { maxAge }: SiteOptions = {},
): Visit {
  const pages = new Map<string, Page>();
  const app = fastify();
  app.register(fastifyCookie);
  app.register(fastifySession, {
    store: store as never,
    secret: "a secret with 32 characters or more",
    saveUninitialized: false,
    rolling: false,
    cookie: { secure: false, ...maxAge === undefined ? {} : { maxAge } },
  });
  app.get("/:page", async (request, reply) => {
    const { page } = request.params as { page: string };
    await pages.get(page)?.(request);
    return reply.send("");
  });
  return async (cookie, page = () => {}) => {
    const name = crypto.randomUUID();
    pages.set(name, page);
    const { statusCode, headers } = await app.inject({
      url: `/${name}`,
      headers: cookie ? { cookie } : {},
    });
    if (statusCode >= 500) throw new Error(`the answer is ${statusCode}`);
    return received(headers["set-cookie"], cookie);
  };
}

function received(header: unknown, cookie: string | null): string {
  const [first] = [header].flat();
  return typeof first === "string" ? first.split(";")[0] ?? "" : cookie ?? "";
}

/** A request of either framework, in a page. */
// deno-lint-ignore no-explicit-any -- an application's values, and the session's methods
export type PageRequest = { session: any };

/** The login that renews the id and keeps the values, as Passport's `keepSessionInfo` does. */
export async function renew(request: PageRequest): Promise<void> {
  const { cookie: _, ...values } = Object.fromEntries(
    Object.entries(request.session),
  );
  await new Promise<void>((resolve, reject) => {
    request.session.regenerate((error?: unknown) =>
      error ? reject(error) : resolve()
    );
  });
  Object.assign(request.session, values);
}

/** The logout. */
export function logOut(request: PageRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    request.session.destroy((error?: unknown) =>
      error ? reject(error) : resolve()
    );
  });
}
