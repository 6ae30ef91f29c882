// Special to React Router: pages, data requests, and loaders that commit themselves.
import { assertEquals, assertMatch } from "@std/assert";
import {
  createContext,
  createRequestHandler,
  data,
  type LoaderFunctionArgs,
  redirect,
} from "react-router";
import type { Session } from "../../core/session.ts";
import { session, sessionContext } from "../../middleware/react_router.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { cookieHeader } from "../core/_support.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { serverBuild } from "./lifecycle/react_router.ts";

type Handler = ReturnType<typeof createRequestHandler>;

async function send(
  handler: Handler,
  path: string,
  cookie = "",
  method = "GET",
): Promise<{ status: number; cookie: string; text: string }> {
  const response = await handler(
    new Request(`http://localhost${path}`, { method, headers: { cookie } }),
  );
  return {
    status: response.status,
    cookie: response.headers.getSetCookie().map(cookieHeader).join("; "),
    text: await response.text(),
  };
}

Deno.test("session() commits for pages and for data requests, also when a loader throws a redirect", async () => {
  const engine = new FakeEngine();
  const storage = createSessionStorage({ engine, cookie: {} });
  const loader = ({ context, request }: LoaderFunctionArgs) => {
    const mine = context.get(sessionContext);
    const { searchParams } = new URL(request.url);
    if (searchParams.has("notice")) return { notice: mine.get("notice") };
    mine.flash("notice", "thrown");
    if (searchParams.has("error")) throw new Error("loader");
    if (searchParams.has("data")) throw data("no", { status: 404 });
    throw redirect("/?notice");
  };
  const errors: unknown[] = [];
  const handler = createRequestHandler(serverBuild(
    { middleware: [session(storage)], loader, default: () => null },
    (error) => errors.push(error),
  ));
  for (const path of ["/page", "/page.data"]) {
    const thrown = await send(handler, path);
    assertMatch(thrown.cookie, /^__session=/, path);
    const notice = await send(handler, "/page.data?notice", thrown.cookie);
    assertMatch(notice.text, /thrown/, path);
    const { cookie } = await send(handler, `${path}?data`);
    assertMatch(cookie, /^__session=/, path);
    engine.calls = [];
    const failed = await send(handler, `${path}?error`);
    assertEquals([failed.status, failed.cookie], [500, ""], path);
    assertEquals(engine.calls, [], `${path}: an error commits nothing`);
  }
  assertEquals(errors.length, 2);
});

Deno.test("session() does not disturb loaders that call getSession and commitSession", async () => {
  const storage = createCookieSessionStorage<{ userId: string }>({
    cookie: { secrets: ["s3cr3t"] },
  });
  const { getSession, commitSession, destroySession } = storage;
  const action = async ({ request }: LoaderFunctionArgs) => {
    const own = await getSession(request.headers.get("Cookie"));
    if (request.method === "DELETE") {
      return redirect("/", {
        headers: { "Set-Cookie": await destroySession(own) },
      });
    }
    own.set("userId", "u1");
    return redirect("/", {
      headers: { "Set-Cookie": await commitSession(own) },
    });
  };
  const loader = async ({ request, context }: LoaderFunctionArgs) => {
    const own = await getSession(request.headers.get("Cookie"));
    return Response.json([
      own.get("userId"),
      context.get(sessionContext).get("userId"),
    ]);
  };
  const handler = createRequestHandler(
    serverBuild({ middleware: [session(storage)], loader, action }, () => {}),
  );
  const login = await send(handler, "/", "", "POST");
  assertEquals(login.status, 302);
  assertEquals(
    (await send(handler, "/", login.cookie)).text,
    '["u1","u1"]',
  );
  const logout = await send(handler, "/", login.cookie, "DELETE");
  assertEquals(logout.cookie, "__session=");
});

Deno.test("session() has the storage's data types in loaders, when it is given a context", async () => {
  const storage = createSessionStorage<{ userId: number }, { notice: string }>({
    engine: new FakeEngine(),
    cookie: {},
  });
  const mine = createContext<Session<{ userId: number }, { notice: string }>>();
  const loader = ({ context }: LoaderFunctionArgs) => {
    const userId: number | undefined = context.get(mine).get("userId");
    const notice: string | undefined = context.get(mine).get("notice");
    // @ts-expect-error: an unknown key
    context.get(mine).get("userID");
    return Response.json({ userId, notice });
  };
  // @ts-expect-error: another session's context
  session(storage, { context: createContext<Session<{ other: 1 }>>() });
  const handler = createRequestHandler(serverBuild(
    { middleware: [session(storage, { context: mine })], loader },
    () => {},
  ));
  assertEquals((await send(handler, "/")).text, "{}");
});
