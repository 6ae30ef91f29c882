/**
 * The HTTP events of AWS Lambda, and the results that answer them.
 *
 * @module
 */
import type { RequestInfo } from "./lifecycle.ts";

/** The parts of an HTTP event that the middleware uses. */
export interface LambdaEventLike {
  /** The method, in format 1.0 and of a load balancer. */
  readonly httpMethod?: string | undefined;
  /** The headers. */
  readonly headers?:
    | { readonly [name: string]: string | undefined }
    | null
    | undefined;
  /** All values of each header, in format 1.0 and of some load balancers. */
  readonly multiValueHeaders?:
    | { readonly [name: string]: readonly string[] | undefined }
    | null
    | undefined;
  /** The cookies, in format 2.0. */
  readonly cookies?: readonly string[] | undefined;
  /** What the service says about the request. */
  // deno-lint-ignore no-explicit-any -- each event has its own
  readonly requestContext?: any;
}

/** The parts of a result that the middleware uses. */
export interface LambdaResultLike {
  /** The status. */
  readonly statusCode?: number | string;
  /** The headers. */
  readonly headers?: Readonly<Record<string, unknown>>;
  /** Headers with several values each, in format 1.0 and for some load balancers. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly unknown[]>>;
  /** The `Set-Cookie` headers, in format 2.0. */
  readonly cookies?: readonly string[];
  /** The body: a text, or with response streaming, parts of it. */
  readonly body?: unknown;
  /** Whether `body` is base64. */
  readonly isBase64Encoded?: boolean;
}

/**
 * How an event is answered: format 2.0 (a function URL, or an HTTP API), format 1.0 (a REST API, or an HTTP API), or a
 * load balancer with or without multi-value headers.
 */
export type LambdaFormat = "2.0" | "1.0" | "balancer" | "multi-value balancer";

/**
 * The format of an event.
 *
 * @throws {TypeError} If it is not an HTTP event that is known.
 */
export function formatOf(event: LambdaEventLike): LambdaFormat {
  const { httpMethod, multiValueHeaders, requestContext } = Object(event);
  if (typeof requestContext?.http?.method === "string") return "2.0";
  if (requestContext?.connectionId !== undefined) {
    throw new TypeError(
      "Cannot read session: this is an event of a WebSocket API; call storage.getSession(event.headers.Cookie) in the handler of $connect",
    );
  }
  if (typeof httpMethod === "string") {
    if (!requestContext?.elb) return "1.0";
    return multiValueHeaders ? "multi-value balancer" : "balancer";
  }
  throw new TypeError(
    "Cannot read session: this is not an HTTP event; invoke the function by a function URL, by API Gateway (payload format 1.0 or 2.0) or by a load balancer",
  );
}

/** A request, as the lifecycle reads it. */
export function requestOf(event: LambdaEventLike): RequestInfo {
  const { httpMethod, cookies, requestContext } = event;
  return {
    method: httpMethod ?? requestContext.http.method,
    headers: {
      get(name) {
        if (cookies && /^cookie$/i.test(name)) return cookies.join("; ");
        const separator = /^cookie$/i.test(name) ? "; " : ", ";
        return valueIn(event.multiValueHeaders, name)?.join(separator) ??
          valueIn(event.headers, name) ?? null;
      },
    },
  };
}

/** A header's value. A REST API keeps the case that the client has sent. */
function valueIn<T>(
  headers: { readonly [name: string]: T | undefined } | null | undefined,
  wanted: string,
): T | undefined {
  const name = Object.keys(headers ?? {}).find((each) =>
    each.toLowerCase() === wanted.toLowerCase()
  );
  return name === undefined ? undefined : headers?.[name];
}

/** Whether a value is a result with a status. In format 2.0, anything else is the body of a 200. */
export function isResult(answer: unknown): answer is LambdaResultLike {
  return typeof answer === "object" && answer !== null &&
    (answer as LambdaResultLike).statusCode !== undefined;
}

/** The result that the service makes of an answer without a status. */
export function impliedResult(answer: unknown): LambdaResultLike {
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: typeof answer === "string" ? answer : JSON.stringify(answer ?? null),
  };
}

/** All headers of a result, as its format is read. */
export function headersOf(
  { headers = {}, multiValueHeaders = {}, cookies = [] }: LambdaResultLike,
  format: LambdaFormat,
): Headers {
  const values = new Headers();
  if (format !== "multi-value balancer") {
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) values.append(name, String(value));
    }
  }
  if (format === "2.0") {
    for (const cookie of cookies) values.append("Set-Cookie", cookie);
  } else if (format !== "balancer") {
    for (const [name, list] of Object.entries(multiValueHeaders)) {
      const single = valueIn(headers, name);
      for (const value of list) {
        // API Gateway sends a value once that both have.
        if (format === "1.0" && String(single) === String(value)) continue;
        values.append(name, String(value));
      }
    }
  }
  return values;
}

/**
 * The same result with other headers, where its format has them.
 *
 * @throws {TypeError} If the format can send only one cookie.
 */
export function withAllHeaders(
  result: LambdaResultLike,
  headers: Headers,
  format: LambdaFormat,
): LambdaResultLike {
  const cookies = headers.getSetCookie();
  const others = [...headers].filter(([name]) => name !== "set-cookie");
  switch (format) {
    case "2.0":
      return { ...result, headers: Object.fromEntries(others), cookies };
    case "1.0":
      return {
        ...result,
        headers: Object.fromEntries(others),
        multiValueHeaders: { "set-cookie": cookies },
      };
    case "multi-value balancer":
      return {
        ...result,
        multiValueHeaders: {
          ...Object.fromEntries(others.map(([name, value]) => [name, [value]])),
          "set-cookie": cookies,
        },
      };
    case "balancer":
      if (cookies.length > 1) {
        throw new TypeError(
          "Cannot send cookie: this load balancer sends only one; turn on multi-value headers for its target group",
        );
      }
      return { ...result, headers: Object.fromEntries(headers) };
  }
}
