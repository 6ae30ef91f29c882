/**
 * Sessions for AWS Lambda: function URLs, API Gateway and load balancers.
 *
 * @example A page that counts its visits
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session } from "@satchel/session/middleware/lambda";
 * import { assertEquals } from "@std/assert";
 *
 * // On Lambda, each instance has its own memory: use DynamoDB, Redis or a cookie storage.
 * const storage = createMemorySessionStorage<{ visits: number }>();
 *
 * const handler = session(storage, (_event, session) => {
 *   const visits = (session.get("visits") ?? 0) + 1;
 *   session.set("visits", visits);
 *   return { statusCode: 200, body: `Visit ${visits}` };
 * });
 *
 * const event = { requestContext: { http: { method: "GET" } }, headers: {} };
 * assertEquals((await handler(event)).body, "Visit 1");
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { SessionError } from "../core/errors.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  formatOf,
  headersOf,
  impliedResult,
  isResult,
  type LambdaEventLike,
  type LambdaFormat,
  type LambdaResultLike,
  requestOf,
  withAllHeaders,
} from "./lifecycle/lambda_event.ts";
import {
  isResponseStream,
  isStreamed,
  type LambdaResponseStreamLike,
  release,
  sendStreamed,
} from "./lifecycle/lambda_stream.ts";
import {
  type Carrier,
  defaultAnswer,
  exchange,
  type MountArguments,
  mountHandler,
} from "./lifecycle/lifecycle.ts";
import {
  MIDDLEWARE_OPTIONS,
  type MiddlewareOptions,
} from "./lifecycle/options.ts";
import { addSetCookie } from "./lifecycle/response.ts";

export type { LambdaEventLike } from "./lifecycle/lambda_event.ts";
export type { LambdaResponseStreamLike } from "./lifecycle/lambda_stream.ts";
export type * from "./lifecycle/types.ts";

/** A handler that receives the session of its event, and Lambda's context. */
export type LambdaSessionHandler<Data, FlashData, Event, Result> = (
  event: Event,
  session: Session<Data, FlashData>,
  // deno-lint-ignore no-explicit-any -- Lambda's own type
  context: any,
) => Result | Promise<Result>;

/** A handler for Lambda, or for `awslambda.streamifyResponse`. */
export type LambdaHandler<Event, Result> = (
  event: Event,
  // deno-lint-ignore no-explicit-any -- the context, or the response stream and the context
  ...others: any[]
) => Promise<Result>;

/** Options of {@linkcode session}. */
export type LambdaSessionOptions<Event> = MiddlewareOptions<
  [event: Event],
  unknown
>;

/**
 * Adds a session to each HTTP event of a handler and commits it once, before the result is returned.
 *
 * - The cookie goes where the event's format has it: `cookies` for a function URL and for payload format 2.0,
 *   `multiValueHeaders` for 1.0.
 * - If the handler throws an error, nothing is committed but a logout. AWS answers with a 500 or a 502, without the
 *   cookie.
 * - In format 2.0, the handler may return a text or an object without `statusCode`: it is the body of a 200.
 * - For response streaming, write `awslambda.streamifyResponse(session(storage, handler))`, and return a `body` that is
 *   a stream: an `AsyncIterable` of texts and `Uint8Array`s. The cookie goes out before its first part.
 * - A Lambda function does not see WebSocket requests.
 *
 * @param storage The session storage.
 * @param handler The handler.
 * @param options The answer if the engine fails.
 * @returns The handler for Lambda. It rejects with the errors of `handler` and `onUnavailable`; with a `TypeError` if the
 * event is not an HTTP event; and with a {@linkcode SessionError} if the session cannot be saved because of its values
 * (`unserializable`, `too-large`), or was changed and the result cannot carry a cookie (`late-change`).
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; if `handler` is not a function; or if an option is unknown.
 */
export function session<
  Data = SessionData,
  FlashData = Data,
  Event extends LambdaEventLike = LambdaEventLike,
  Result = unknown,
>(
  storage: SessionHeaders<Data, FlashData>,
  handler: LambdaSessionHandler<Data, FlashData, Event, Result>,
  options?: LambdaSessionOptions<Event>,
): LambdaHandler<Event, Result>;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param handler The handler.
 * @param options The answer if the engine fails.
 * @returns The handler for Lambda. It rejects with the same errors.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; if `handler` is not a function; or if an option is unknown.
 */
export function session<
  Data = SessionData,
  FlashData = Data,
  Event extends LambdaEventLike = LambdaEventLike,
  Result = unknown,
>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  handler: LambdaSessionHandler<Data, FlashData, Event, Result>,
  options?: LambdaSessionOptions<Event>,
): LambdaHandler<Event, Result>;
export function session<
  Data,
  FlashData,
  Event extends LambdaEventLike,
  Result,
>(
  ...args: MountArguments<
    Data,
    FlashData,
    LambdaSessionOptions<Event>,
    [handler: LambdaSessionHandler<Data, FlashData, Event, Result>]
  >
): LambdaHandler<Event, Result> {
  const { storage, handler, options } = mountHandler(args, MIDDLEWARE_OPTIONS);
  const { isFailure, crossOrigin, onUnavailable } = options;
  // Lambda refuses handlers that name a third parameter: it takes them for callbacks.
  return async (event, ...others) => {
    const stream = isResponseStream(others[0]) ? others[0] : undefined;
    const context = others[stream ? 1 : 0];
    const format = formatOf(event);
    if (stream) streamed.add(event);
    const answer = await exchange<Data, FlashData, unknown>(storage, {
      request: requestOf(event),
      isFailure,
      crossOrigin,
      async handle(session) {
        const answer = await handler(event, session, context);
        if (!streamed.has(event)) mustBeWhole(answer);
        return answer;
      },
      statusOf: (answer) => statusOf(answer, format),
      carrier: (answer) => carrierOf(answer, format),
      discard(answer) {
        if (isResult(answer)) release(answer.body);
      },
      unavailable: (error) =>
        onUnavailable
          ? onUnavailable(error, event)
          : serviceUnavailable(error, format),
    });
    if (stream) return await send(stream, answer) as Result;
    return answer as Result;
  };
}

/** The events whose results are streamed, by this `session()` or by one around it. */
const streamed = new WeakSet<LambdaEventLike>();

/** @throws {TypeError} If the body is a stream, and the function is invoked without response streaming. */
function mustBeWhole(answer: unknown): void {
  if (!isResult(answer) || !isStreamed(answer.body)) return;
  throw new TypeError(
    "Cannot send body: it is a stream; write awslambda.streamifyResponse(session(storage, handler)), and turn on response streaming",
  );
}

function statusOf(answer: unknown, format: LambdaFormat): number | undefined {
  if (isResult(answer)) return Number(answer.statusCode);
  return format === "2.0" ? 200 : undefined;
}

function carrierOf(
  answer: unknown,
  format: LambdaFormat,
): Carrier<unknown> | undefined {
  if (!isResult(answer) && format !== "2.0") return undefined;
  const result = isResult(answer) ? answer : impliedResult(answer);
  const headers = headersOf(result, format);
  return (setCookie) => {
    if (!setCookie) return answer;
    addSetCookie(headers, setCookie);
    return withAllHeaders(result, headers, format);
  };
}

function serviceUnavailable(
  error: SessionError,
  format: LambdaFormat,
): LambdaResultLike {
  const { status, text, headers } = defaultAnswer(error);
  const result = { statusCode: status, body: text, isBase64Encoded: false };
  const type = { "Content-Type": "text/plain; charset=utf-8" };
  return withAllHeaders(result, new Headers({ ...type, ...headers }), format);
}

async function send(
  stream: LambdaResponseStreamLike,
  answer: unknown,
): Promise<void> {
  await sendStreamed(stream, isResult(answer) ? answer : impliedResult(answer));
}
