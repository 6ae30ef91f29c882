/**
 * Sessions for Fastify 4 and 5: `request.session`.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionRequest } from "@satchel/session/middleware/fastify";
 * import { fastify } from "npm:fastify@5.12.8";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * const app = fastify();
 * app.register(session(storage));
 * app.get("/", (request) => {
 *   const { session } = request as unknown as SessionRequest<typeof storage>;
 *   const visits = (session.get("visits") ?? 0) + 1;
 *   session.set("visits", visits);
 *   return `Visit ${visits}`;
 * });
 * await app.inject("/");
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { SessionError } from "../core/errors.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  defaultAnswer,
  isServerError,
  mount,
  type MountArguments,
  openSession,
  type SessionOf,
  unavailableError,
} from "./lifecycle/lifecycle.ts";
import {
  PROPERTIES_OPTIONS,
  type PropertiesOptions,
} from "./lifecycle/options.ts";
import type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
import {
  commitBeforeSending,
  describesResponse,
  infoOf,
  serviceUnavailable,
} from "./lifecycle/node_response.ts";
import { holdSession } from "./lifecycle/properties.ts";
import { PropertiesSession } from "./lifecycle/properties_session.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
export type { PropertiesCookie } from "./lifecycle/properties_cookie.ts";
export type {
  SessionCallback,
  SessionMethods,
  SessionProperties,
} from "./lifecycle/properties_session.ts";
export type * from "./lifecycle/types.ts";

/** The parts of Fastify's reply that the plugin uses. */
export interface FastifyReplyLike {
  /** Node's response. */
  readonly raw: NodeResponseLike;
  /** Whether a handler has sent the response, or called `hijack()`. */
  readonly sent: boolean;
  /** Sets the status. */
  code(status: number): FastifyReplyLike;
  /** Sets a header. */
  header(name: string, value: string): FastifyReplyLike;
  /** Returns the headers. */
  getHeaders(): Record<string, unknown>;
  /** Removes a header. */
  removeHeader(name: string): FastifyReplyLike;
  /** Sends a body, or answers an error. */
  send(payload?: unknown): FastifyReplyLike;
}

/** The parts of Fastify's request that the plugin uses. */
export interface FastifyRequestLike {
  /** Node's request. */
  readonly raw: NodeRequestLike;
}

/** A plugin for `app.register`. It reaches the routes of the instance that registers it. */
// deno-lint-ignore no-explicit-any -- Fastify's own type, with the application's decorators
export type FastifyPlugin = (instance: any) => Promise<void>;

/** The type of the request, to add to Fastify's: `interface FastifyRequest extends SessionRequest<typeof storage> {}`. */
export interface SessionRequest<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type FastifySessionOptions = PropertiesOptions<
  [request: FastifyRequestLike, reply: FastifyReplyLike],
  unknown
>;

/**
 * Adds a session to each request and commits it once, just before the headers are sent, by Fastify or by a handler that
 * has called `reply.hijack()`.
 *
 * Fastify does not report a handler's error to a plugin, so a response of 500 or above counts as an error: only a
 * `destroy()` is committed. Assigning `null` to `request.session` ends the session.
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The plugin. To register it throws a `TypeError` in other versions of Fastify, and if another plugin has
 * added a property of that name to requests.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: FastifySessionOptions,
): FastifyPlugin;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The plugin.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: FastifySessionOptions,
): FastifyPlugin;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, FastifySessionOptions>
): FastifyPlugin {
  const { storage, options } = mount(args, PROPERTIES_OPTIONS);
  const { key = "session", isFailure = isServerError, properties } = options;
  const { crossOrigin } = options;
  const name = `request.${key}`;
  const {
    onUnavailable = (error, _request, reply) => unavailable(reply, error),
  } = options;
  type Request = FastifyRequestLike & Record<string, unknown>;

  async function onRequest(
    request: Request,
    reply: FastifyReplyLike,
  ): Promise<unknown> {
    const answerError = async (error: unknown) => {
      for (const header of Object.keys(reply.getHeaders())) {
        if (describesResponse(header)) reply.removeHeader(header);
      }
      try {
        await onUnavailable(unavailableError(error), request, reply);
      } catch (other) {
        if (reply.sent) reply.raw.destroy();
        else reply.send(other);
      }
      return reply;
    };
    const info = infoOf(request.raw);
    let session: Session<Data, FlashData>;
    try {
      session = await openSession(storage, info, crossOrigin);
    } catch (error) {
      return await answerError(error);
    }
    const fail = (error: unknown) => void answerError(error);
    const view = FastifyProperties;
    const other = holdSession({
      ...{ storage, session, info, request, key, name, properties, fail, view },
    });
    commitBeforeSending(reply.raw, {
      ...{ storage, session, isFailure, other },
      unsaved: async (error) => void await answerError(error),
    });
    return undefined;
  }

  return Object.assign(async (instance: Instance) => {
    checkInstance(instance, key, name);
    instance.decorateRequest(key, null);
    instance.addHook("onRequest", onRequest);
  }, SHARED);
}

/** What Fastify reads from a plugin: it reaches its parent's routes, as with fastify-plugin. */
const SHARED = {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "@satchel/session",
};

/** The parts of Fastify that the plugin uses. */
interface Instance {
  readonly version?: string;
  hasRequestDecorator(name: string): boolean;
  decorateRequest(name: string, value: unknown): unknown;
  addHook(
    name: "onRequest",
    // deno-lint-ignore no-explicit-any -- Fastify's own types
    hook: (request: any, reply: any) => Promise<unknown>,
  ): unknown;
}

/** @throws {TypeError} If the version of Fastify is not known, or the property is taken. */
function checkInstance(instance: Instance, key: string, name: string): void {
  const [major] = (instance.version ?? "an unknown version").split(".");
  if (major !== "4" && major !== "5") {
    throw new TypeError(
      `Cannot mount session: this plugin is for Fastify 4 and 5, and this is Fastify ${major}; use one of those, or session of @satchel/session/middleware/node around the server's handler`,
    );
  }
  if (instance.hasRequestDecorator(key)) {
    throw new TypeError(
      `Cannot mount session: ${name} is already there; register the plugin once, without another plugin for sessions, or pass another { key }`,
    );
  }
}

function unavailable(reply: FastifyReplyLike, error: SessionError): void {
  // Fastify does not send anything for a reply that a handler has hijacked.
  if (reply.sent) return serviceUnavailable(reply.raw, error);
  const { status, text, headers } = defaultAnswer(error);
  reply.code(status).header("Content-Type", "text/plain; charset=utf-8");
  for (const [name, value] of Object.entries(headers)) {
    reply.header(name, value);
  }
  reply.send(text);
}

/** A session with properties, and what @fastify/passport calls. */
class FastifyProperties extends PropertiesSession {
  get(key: string): unknown {
    return Object.hasOwn(this, key) ? Reflect.get(this, key) : undefined;
  }

  set(key: string, value: unknown): void {
    Reflect.set(this, key, value);
  }
}
