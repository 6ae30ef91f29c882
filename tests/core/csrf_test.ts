/** `csrfToken` and `verifyCsrfToken`. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { csrfToken, verifyCsrfToken } from "../../core/csrf.ts";
import { createSession, type Session } from "../../core/session.ts";
import { withSession } from "../../middleware/with_session.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { assertSessionError, cookieHeader } from "./_support.ts";

const cookie = { name: "s", secrets: ["s3cr3t"] };

/** Stores a session with a value. Returns its `Cookie` header. */
async function visitor(storage: SessionStorage): Promise<string> {
  const session = await storage.getSession();
  session.set("cart", ["tea"]);
  return cookieHeader(await storage.commitSession(session));
}

function post(body: BodyInit | null, headers: HeadersInit = {}): Request {
  return new Request("https://example.com/", { method: "POST", body, headers });
}

function multipart(value: string | Blob): FormData {
  const form = new FormData();
  form.set("csrfToken", value);
  return form;
}

Deno.test("csrfToken() returns one token for a session, and starts it", () => {
  const session = createSession();
  const token = csrfToken(session);
  assertMatch(token, /^[\w-]{24}$/);
  assertEquals(csrfToken(session), token);
  assert(session.dirty);
  assert(csrfToken(createSession()) !== token);
});

Deno.test("csrfToken() throws for a session that nothing can save", async () => {
  const session = createSession();
  session.destroy();
  await assertSessionError(() => csrfToken(session), "destroyed");
});

Deno.test("verifyCsrfToken() finds the token wherever a request carries it", async () => {
  const session = createSession();
  const token = csrfToken(session);
  const form = new URLSearchParams({ csrfToken: token, name: "ann" });
  const rows: [from: Parameters<typeof verifyCsrfToken>[1], right: boolean][] =
    [
      [post(form), true],
      [post(multipart(token)), true],
      [post(null, { "X-CSRF-Token": token }), true],
      [post("{}", { "X-CSRF-Token": token }), true],
      [post(form, { "X-CSRF-Token": "forged" }), false],
      [form, true],
      [multipart(token), true],
      [token, true],
      [post(null), false],
      [post(new URLSearchParams()), false],
      [post(new URLSearchParams({ csrfToken: "" })), false],
      [post(new URLSearchParams({ csrfToken: token + "a" })), false],
      [post(new URLSearchParams({ csrfToken: token.slice(1) })), false],
      [post(multipart(new Blob([token]))), false],
      [post(JSON.stringify({ csrfToken: token })), false],
      [post("no boundary", { "Content-Type": "multipart/form-data" }), false],
      [
        post("\xff%", { "Content-Type": "application/x-www-form-urlencoded" }),
        false,
      ],
      ["", false],
      [null, false],
      [undefined, false],
    ];
  for (const [from, right] of rows) {
    assertEquals(await verifyCsrfToken(session, from), right, rowName(from));
  }
  const options = { field: "_csrf", header: "X-XSRF" };
  for (
    const from of [
      new URLSearchParams({ _csrf: token }),
      post(null, { "X-XSRF": token }),
    ]
  ) {
    assert(await verifyCsrfToken(session, from, options), rowName(from));
    assert(!await verifyCsrfToken(session, from), rowName(from));
  }
});

Deno.test("verifyCsrfToken() accepts nothing but a token, when the session has other texts", async () => {
  const session: Session = createSession({ userId: "ann" });
  csrfToken(session);
  session.set("__csrf_x", ["bob"]);
  for (const given of ["ann", "bob"]) {
    assertEquals(await verifyCsrfToken(session, given), false, given);
  }
});

Deno.test("verifyCsrfToken() leaves the request's body to the handler", async () => {
  const session = createSession();
  const csrf = csrfToken(session);
  const body = new URLSearchParams({ csrfToken: csrf, name: "ann" });
  const request = post(body);
  assert(await verifyCsrfToken(session, request));
  assertEquals((await request.formData()).get("name"), "ann");
});

Deno.test("verifyCsrfToken() says what to pass instead", async () => {
  const session = createSession();
  const request = post(new URLSearchParams());
  await request.text();
  await assertRejects(
    () => verifyCsrfToken(session, request),
    TypeError,
    "the request's body was already read",
  );
  for (const wrong of [{}, 7, { headers: {}, get: () => "" }]) {
    await assertRejects(
      () => verifyCsrfToken(session, wrong as never),
      TypeError,
      "pass a Request, a FormData or the token",
      rowName(wrong),
    );
  }
});

Deno.test("verifyCsrfToken() does not start a session", async () => {
  const storage = createMemorySessionStorage();
  const handler = withSession(storage, async (request, session) => {
    const right = await verifyCsrfToken(session, request);
    return new Response(String(right));
  });
  const response = await handler(post(new URLSearchParams({ csrfToken: "a" })));
  assertEquals(await response.text(), "false");
  assertEquals(response.headers.getSetCookie(), []);
});

const merging: Record<string, () => SessionStorage> = {
  engine: () => createSessionStorage({ cookie, engine: new FakeEngine() }),
  memory: () => createMemorySessionStorage({ cookie }),
};
for (const [kind, create] of Object.entries(merging)) {
  Deno.test(`${kind}: the first tokens of parallel requests are both right`, async () => {
    const storage = create();
    const header = await visitor(storage);
    const tabs = await Promise.all(
      [1, 2].map(() => storage.getSession(header)),
    );
    const tokens = tabs.map((session) => csrfToken(session));
    await Promise.all(tabs.map((session) => storage.commitSession(session)));

    const session = await storage.getSession(header);
    assert(tokens[0] !== tokens[1]);
    for (const token of tokens) {
      assert(await verifyCsrfToken(session, token), rowName(tokens));
    }
    assert(tokens.includes(csrfToken(session)));
    assert(!session.dirty);
  });
}

Deno.test("a login ends the token from before, and the page after it gets a new one", async () => {
  const logins: Record<string, (session: Session) => void> = {
    restart: (session) => session.restart(),
    "restart, keep a value": (session) => session.restart({ keep: ["cart"] }),
    "restart, keep all": (session) => session.restart({ keep: "all" }),
    regenerateId: (session) => session.regenerateId(),
  };
  const storages = {
    ...merging,
    cookie: () => createCookieSessionStorage({ cookie }),
  };
  for (const [kind, create] of Object.entries(storages)) {
    for (const [name, login] of Object.entries(logins)) {
      const row = rowName(kind, name);
      const storage = create();
      const before = await storage.getSession(await visitor(storage));
      const old = csrfToken(before);
      const header = cookieHeader(await storage.commitSession(before));
      const session = await storage.getSession(header);
      login(session);
      session.set("userId", "ann");
      assert(!await verifyCsrfToken(session, old), row);
      const fresh = csrfToken(session);
      const after = cookieHeader(await storage.commitSession(session));

      const next = await storage.getSession(after);
      assertEquals(csrfToken(next), fresh, row);
      assert(!await verifyCsrfToken(next, old), row);
    }
  }
});

Deno.test("a token that a request makes during a login does not reach the new session", async () => {
  const storage = createSessionStorage({ cookie, engine: new FakeEngine() });
  const header = await visitor(storage);
  const login = await storage.getSession(header);
  const other = await storage.getSession(header);
  const old = csrfToken(other);
  await storage.commitSession(other);
  login.regenerateId();
  const after = cookieHeader(await storage.commitSession(login));

  const session = await storage.getSession(after);
  assertEquals(session.get("cart"), ["tea"]);
  assert(!await verifyCsrfToken(session, old));
});

Deno.test("a list of a user's sessions does not contain their tokens", async () => {
  const storage = createMemorySessionStorage<{ userId: string }>({
    owner: ({ userId }) => userId,
  });
  const session = await storage.getSession();
  session.set("userId", "ann");
  csrfToken(session);
  await storage.commitSession(session);
  const [listed] = await storage.listSessions("ann");
  assertEquals(listed?.data, { userId: "ann" });
});

Deno.test("csrfToken() throws and says what to use, when it is given something else than a session", () => {
  const session = { userId: "ann" } as unknown as Session;
  assertThrows(
    () => csrfToken(session),
    TypeError,
    "session must be a Session, received an object; where Express",
  );
});
