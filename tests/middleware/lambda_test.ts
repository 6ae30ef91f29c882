// Special to Lambda: the events of its services, and what each of them reads in a result.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import type {
  ALBEvent,
  ALBHandler,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyHandler,
  APIGatewayProxyHandlerV2,
  LambdaFunctionURLEvent,
  LambdaFunctionURLHandler,
} from "npm:@types/aws-lambda@8.10.164";
import { createMemorySessionStorage } from "../../mod.ts";
import { type LambdaEventLike, session } from "../../middleware/lambda.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { cookieHeader } from "../core/_support.ts";
import { rowName } from "../_row.ts";

/** As AWS documents the event of a function URL, and payload format 2.0. */
const URL_EVENT = {
  version: "2.0",
  routeKey: "$default",
  rawPath: "/my/path",
  rawQueryString: "parameter1=value1",
  headers: { header1: "value1", header2: "value1,value2" },
  requestContext: {
    accountId: "123456789012",
    apiId: "<urlid>",
    domainName: "<url-id>.lambda-url.us-west-2.on.aws",
    http: {
      method: "GET",
      path: "/my/path",
      protocol: "HTTP/1.1",
      sourceIp: "123.123.123.123",
      userAgent: "agent",
    },
    requestId: "id",
    stage: "$default",
    time: "12/Mar/2020:19:03:58 +0000",
    timeEpoch: 1583348638390,
  },
  isBase64Encoded: false,
};

/** As AWS documents the event of a REST API. The headers keep the case that the client has sent. */
const REST_EVENT = {
  resource: "/my/path",
  path: "/my/path",
  httpMethod: "GET",
  headers: { "header1": "value1", "Host": "example.com" },
  multiValueHeaders: { "header1": ["value1"], "Host": ["example.com"] },
  queryStringParameters: null,
  requestContext: {
    accountId: "123456789012",
    apiId: "id",
    httpMethod: "GET",
    path: "/my/path",
    protocol: "HTTP/1.1",
    requestId: "id=",
    stage: "$default",
  },
  body: null,
  isBase64Encoded: false,
};

/** As AWS documents the event of a load balancer. */
const BALANCER_EVENT = {
  requestContext: {
    elb: { targetGroupArn: "arn:aws:elasticloadbalancing:us-east-2:1:t/x/y" },
  },
  httpMethod: "GET",
  path: "/lambda",
  headers: { accept: "text/html" },
  body: "",
  isBase64Encoded: false,
};

const MULTI_VALUE_EVENT = {
  ...BALANCER_EVENT,
  headers: undefined,
  multiValueHeaders: { accept: ["text/html"] },
};

interface Data {
  visits: number;
}

interface Result {
  statusCode?: number;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  cookies?: string[];
  body?: unknown;
}

/** The cookies that a result sets, as its service reads them. */
type CookiesOf = (result: Result) => string[] | undefined;

interface Service {
  event: LambdaEventLike;
  /** The same event, with a cookie. */
  withCookie(cookie: string): LambdaEventLike;
  cookiesOf: CookiesOf;
}

const services: Record<string, Service> = {
  "a function URL": {
    event: URL_EVENT,
    withCookie: (cookie) => ({ ...URL_EVENT, cookies: ["a=1", cookie] }),
    cookiesOf: ({ cookies }) => cookies,
  },
  "a REST API": {
    event: REST_EVENT,
    withCookie: (cookie) => ({
      ...REST_EVENT,
      headers: { ...REST_EVENT.headers, Cookie: cookie },
      multiValueHeaders: {
        ...REST_EVENT.multiValueHeaders,
        Cookie: ["a=1", cookie],
      },
    }),
    cookiesOf: ({ multiValueHeaders }) => multiValueHeaders?.["set-cookie"],
  },
  "a load balancer": {
    event: BALANCER_EVENT,
    withCookie: (cookie) => ({
      ...BALANCER_EVENT,
      headers: { accept: "text/html", cookie: `a=1; ${cookie}` },
    }),
    cookiesOf: ({ headers }) =>
      headers?.["set-cookie"] ? [headers["set-cookie"]] : [],
  },
  "a load balancer with multi-value headers": {
    event: MULTI_VALUE_EVENT,
    withCookie: (cookie) => ({
      ...MULTI_VALUE_EVENT,
      multiValueHeaders: { cookie: [`a=1; ${cookie}`] },
    }),
    cookiesOf: ({ multiValueHeaders }) => multiValueHeaders?.["set-cookie"],
  },
};

for (
  const [name, { event, withCookie, cookiesOf }] of Object.entries(services)
) {
  Deno.test(`session() reads and sends its cookie, when the event is one of ${name}`, async () => {
    const storage = createMemorySessionStorage<Data>();
    const handler = session(
      storage,
      (_event: LambdaEventLike, session): Result => {
        session.set("visits", (session.get("visits") ?? 0) + 1);
        return { statusCode: 200, body: `Visit ${session.get("visits")}` };
      },
    );
    const first = await handler(event);
    const [setCookie = "", ...others] = cookiesOf(first) ?? [];
    assertEquals([first.body, others], ["Visit 1", []]);
    const next = await handler(withCookie(cookieHeader(setCookie)));
    assertEquals([next.body, cookiesOf(next) ?? []], ["Visit 2", []]);
  });

  Deno.test(`session() answers an engine that fails, when the event is one of ${name}`, async () => {
    const engine = new FakeEngine();
    const storage = createSessionStorage<Data>({ engine, cookie: {} });
    const handler = session(
      storage,
      (_event: LambdaEventLike, session): Result => {
        session.set("visits", 1);
        return { statusCode: 200 };
      },
    );
    engine.play("write", "fail");
    const { statusCode, headers, multiValueHeaders } = await handler(event);
    const retry = multiValueHeaders?.["retry-after"]?.[0] ??
      headers?.["retry-after"];
    assertEquals([statusCode, retry], [503, "5"]);
  });
}

/** A handler that changes the session, and returns this. */
function returning<T>(result: T): (event: LambdaEventLike) => Promise<T> {
  return session(
    createMemorySessionStorage(),
    (_event: LambdaEventLike, session) => {
      session.set("a", 1);
      return result;
    },
  );
}

Deno.test("session() keeps the handler's cookies and headers, in format 2.0", async () => {
  const { headers, cookies } = await returning<Result>({
    statusCode: 200,
    headers: { "Set-Cookie": "one=1", "Cache-Control": "public", "X-Own": "1" },
    cookies: ["two=2"],
  })(URL_EVENT);
  assertEquals(headers, {
    "cache-control": "private",
    "vary": "Cookie",
    "x-own": "1",
  });
  assertEquals(cookies?.map((each) => each.split("=")[0]), [
    "one",
    "two",
    "__session",
  ]);
});

Deno.test("session() keeps the handler's cookies and headers, in format 1.0", async () => {
  const result = await returning<Result>({
    statusCode: 200,
    headers: { "Set-Cookie": "one=1", "X-Own": "1" },
    multiValueHeaders: {
      "set-cookie": ["one=1", "two=2"],
      "X-List": ["a", "b"],
    },
  })(REST_EVENT);
  assertEquals(Object.keys(result), [
    "statusCode",
    "headers",
    "multiValueHeaders",
  ], "`cookies` would be a 502");
  assertEquals(result.headers?.["x-own"], "1");
  assertEquals(result.headers?.["x-list"], "a, b");
  assertEquals(
    result.multiValueHeaders?.["set-cookie"]?.map((each) => each.split("=")[0]),
    ["one", "two", "__session"],
  );
});

Deno.test("session() says what to turn on, when a load balancer cannot send a second cookie", async () => {
  const handler = returning({
    statusCode: 200,
    headers: { "set-cookie": "one=1" },
  });
  await assertRejects(
    () => handler(BALANCER_EVENT),
    TypeError,
    "turn on multi-value headers",
  );
});

Deno.test("session() sends a value without a status as JSON, in format 2.0", async () => {
  for (
    const [value, body] of [
      ["Hello", "Hello"],
      [{ ok: true }, '{"ok":true}'],
      [undefined, "null"],
    ]
  ) {
    const result = await returning<unknown>(value)(URL_EVENT) as Result;
    assertEquals(
      [
        result.statusCode,
        result.body,
        result.headers?.["content-type"],
        result.cookies?.length,
      ],
      [200, body, "application/json", 1],
      rowName(value),
    );
  }
});

Deno.test("session() returns the handler's own result, when there is no cookie to send", async () => {
  const result = { statusCode: 200 };
  const handler = session(createMemorySessionStorage(), () => result);
  assertStrictEquals(await handler(URL_EVENT), result);
});

Deno.test("session() is a late change, when a result of format 1.0 has no status", async () => {
  await assertRejects(
    () => returning("Hello")(REST_EVENT),
    Error,
    "its response cannot carry the cookie",
  );
});

Deno.test("session() passes Lambda's context on, and names no third parameter", async () => {
  const context = { awsRequestId: "1" };
  const handler = session(
    createMemorySessionStorage(),
    (_event, _session, context) => context.awsRequestId,
  );
  assertEquals(await handler(URL_EVENT, context), "1");
  // Lambda takes a third parameter for a callback, and refuses the handler.
  assert(handler.length < 3);
});

Deno.test("session() says what it needs, when the event is not one of HTTP", async () => {
  const handler = returning({ statusCode: 200 });
  for (
    const [event, message] of [
      [{ Records: [] }, /not an HTTP event; invoke the function by/],
      [null, /not an HTTP event/],
      [
        { requestContext: { routeKey: "$connect", connectionId: "1" } },
        /call storage.getSession\(event.headers.Cookie\)/,
      ],
    ] as const
  ) {
    const error = await assertRejects(
      () => handler(event as never),
      TypeError,
      "",
      rowName(event),
    );
    assertMatch(error.message, message, rowName(event));
  }
});

/** Lambda's response stream, that is never ready for the next part at once. */
class Stream {
  readonly parts: Uint8Array[] = [];
  type = "";
  ended = false;

  setContentType(type: string): void {
    this.type = type;
  }

  write(part: string | Uint8Array): boolean {
    this.parts.push(
      typeof part === "string" ? new TextEncoder().encode(part) : part,
    );
    return false;
  }

  once(event: string, listener: () => void): void {
    if (event === "drain") queueMicrotask(listener);
  }

  end(): void {
    this.ended = true;
  }

  /** The head, and the parts of the body. */
  read(): [head: Result, ...body: string[]] {
    const [head = new Uint8Array(), zeros, ...body] = this.parts;
    assertEquals(zeros, new Uint8Array(8));
    const decode = (part: Uint8Array) => new TextDecoder().decode(part);
    return [JSON.parse(decode(head)), ...body.map(decode)];
  }
}

Deno.test("session() streams a body, and sends the cookie before it", async () => {
  const bodies: [unknown, boolean, string[]][] = [
    ["text", false, ["text"]],
    [btoa("binary"), true, ["binary"]],
    [ReadableStream.from(["a", "b"]), false, ["a", "b"]],
    [undefined, false, []],
  ];
  for (const [body, isBase64Encoded, expected] of bodies) {
    const stream = new Stream();
    const handler = session(
      createMemorySessionStorage(),
      (_event: LambdaEventLike, session) => {
        session.set("a", 1);
        return { statusCode: 201, body, isBase64Encoded };
      },
    );
    await handler({ ...URL_EVENT }, stream, {});
    const [head, ...parts] = stream.read();
    assertEquals(
      [stream.type, head.statusCode, head.cookies?.length],
      ["application/vnd.awslambda.http-integration-response", 201, 1],
      rowName(body),
    );
    assertEquals([parts, stream.ended], [expected, true], rowName(body));
  }
});

Deno.test("session() says how to stream, when a function does not stream its responses", async () => {
  const handler = returning({
    statusCode: 200,
    body: ReadableStream.from(["a"]),
  });
  await assertRejects(
    () => handler(URL_EVENT),
    TypeError,
    "write awslambda.streamifyResponse(session(storage, handler))",
  );
});

Deno.test("session() releases a body that it does not send, when the engine fails", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage<Data>({ engine, cookie: {} });
  let cancelled = false;
  const body = new ReadableStream({
    cancel() {
      cancelled = true;
    },
  });
  const handler = session(storage, (_event: LambdaEventLike, session) => {
    session.set("visits", 1);
    return { statusCode: 200, body };
  });
  engine.play("write", "fail");
  const stream = new Stream();
  await handler({ ...URL_EVENT }, stream, {});
  assertEquals([stream.read()[0].statusCode, cancelled], [503, true]);
});

Deno.test("session() has the types of Lambda's handlers", () => {
  const storage = createMemorySessionStorage<Data>();
  const result = (visits = 0) => ({ statusCode: 200, body: String(visits) });
  const http: APIGatewayProxyHandlerV2 = session(
    storage,
    (_event: APIGatewayProxyEventV2, session) => result(session.get("visits")),
  );
  const rest: APIGatewayProxyHandler = session(
    storage,
    (_event: APIGatewayProxyEvent, session) => result(session.get("visits")),
  );
  const url: LambdaFunctionURLHandler = session(
    storage,
    (_event: LambdaFunctionURLEvent, session) => result(session.get("visits")),
  );
  const balancer: ALBHandler = session(
    storage,
    // @ts-expect-error the data does not have this key
    (_event: ALBEvent, session) => result(session.get("other")),
  );
  assertEquals([http, rest, url, balancer].map((each) => each.length), [
    1,
    1,
    1,
    1,
  ]);
});
