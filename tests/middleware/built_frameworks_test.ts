// What SvelteKit, Astro and TanStack Start share, and what needs no application: refusals, and pages that are
// prerendered. The applications themselves are built and served by the thorough tests.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createSession } from "../../core/session.ts";
import { refusedSession } from "../../middleware/lifecycle/refused_session.ts";
import { session as astro } from "../../middleware/astro.ts";
import { session as svelteKit } from "../../middleware/sveltekit.ts";
import { session as tanStackStart } from "../../middleware/tanstack_start.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";

// deno-lint-ignore no-explicit-any -- each framework has a type of its own
type Any = any;
type Use = (holder: Record<string, Any>) => Response | Promise<Response>;

interface Framework {
  readonly name: string;
  /** What holds the session, in messages. */
  readonly holder: string;
  readonly mount: (...args: Any[]) => Any;
  /** Runs a middleware as the framework does. */
  visit(
    middleware: Any,
    use: Use,
    values?: object,
    request?: Request,
  ): Promise<Response>;
  /** Calls a middleware as another framework, or another version, would. */
  readonly wrong: readonly Any[][];
  /** Mounts a middleware and visits a page that is prerendered. */
  prerender(mount: () => Any, use: Use): Promise<Response>;
}

const ask = () => new Request("http://localhost/");

/** Sets a variable of the environment while a middleware is mounted. */
function withVariable<T>(name: string, value: string, mount: () => T): T {
  Deno.env.set(name, value);
  try {
    return mount();
  } finally {
    Deno.env.delete(name);
  }
}

const FRAMEWORKS: readonly Framework[] = [
  {
    name: "SvelteKit",
    holder: "event.locals.session",
    mount: svelteKit,
    visit: (middleware, use, locals = {}, request = ask()) => {
      const event = { request, locals, cookies: { set() {} } };
      return middleware({ event, resolve: () => use(locals) });
    },
    wrong: [
      [{}],
      [{ event: { request: ask(), locals: {} }, resolve() {} }],
      [{ request: ask(), locals: {}, isPrerendered: false }, () => {}],
    ],
    prerender: (mount, use) => {
      const middleware = withVariable("SVELTEKIT_FORK", "true", mount);
      return FRAMEWORKS[0]!.visit(middleware, use);
    },
  },
  {
    name: "Astro",
    holder: "Astro.locals.session",
    mount: astro,
    visit: (middleware, use, locals = {}, request = ask()) =>
      middleware(
        { request, locals, isPrerendered: false },
        () => use(locals),
      ),
    // Astro 4 does not say what is prerendered.
    wrong: [[{}], [{ request: ask(), locals: {} }, () => {}]],
    prerender: (mount, use) => {
      const locals = {};
      const context = { request: ask(), locals, isPrerendered: true };
      return mount()(context, () => use(locals));
    },
  },
  {
    name: "TanStack Start",
    holder: "context.session",
    mount: tanStackStart,
    visit: async (middleware, use, context = {}, request = ask()) =>
      await middleware({
        request,
        context,
        next: async (options: { context: object }) => {
          const all = { ...context, ...options.context };
          const response = await use(all);
          return { context: all, response };
        },
      }),
    // The last one is a server function's own middleware.
    wrong: [[{}], [{ request: ask(), sendContext: {}, next() {} }]],
    prerender: (mount, use) => {
      const middleware = withVariable("TSS_PRERENDERING", "true", mount);
      return FRAMEWORKS[2]!.visit(middleware, use);
    },
  },
];

for (const { name, holder, mount, visit, wrong, prerender } of FRAMEWORKS) {
  const open = () => {
    const engine = new FakeEngine();
    const storage = createSessionStorage({ engine, cookie: { name: "sid" } });
    return { engine, storage };
  };

  Deno.test(`${name}: session() refuses what it cannot mount, at once`, () => {
    assertThrows(
      () => mount({}),
      TypeError,
      "Cannot use storage: it is not a session storage",
    );
    assertThrows(
      () => mount(open().storage, { keys: "user" }),
      TypeError,
      'Cannot mount session: unknown option "keys"',
    );
  });

  Deno.test(`${name}: session() refuses another version, and says which it knows`, async () => {
    const middleware = mount(open().storage);
    for (const [row, args] of wrong.entries()) {
      const { message } = await assertRejects(
        () => middleware(...args),
        TypeError,
        "Cannot mount session: this is not ",
        String(row),
      );
      assertEquals(message.includes("; write `"), true, String(row));
    }
  });

  Deno.test(`${name}: session() refuses to be mounted twice`, async () => {
    const middleware = mount(open().storage);
    const request = ask();
    await visit(
      middleware,
      async (values) => {
        await assertRejects(
          () => visit(middleware, () => new Response(), values, request),
          TypeError,
          `Cannot mount session: ${holder} already holds a session; mount the middleware once, or pass another { key }`,
        );
        return new Response();
      },
      {},
      request,
    );
  });

  Deno.test(`${name}: session() saves nothing, when a handler replaces the session`, async () => {
    const { engine, storage } = open();
    await assertRejects(
      () =>
        visit(mount(storage), (values) => {
          values["session"].set("a", 1);
          values["session"] = createSession({ a: 2 });
          return new Response();
        }),
      TypeError,
      `Cannot save session: a handler has replaced the session in ${holder};`,
    );
    assertEquals(engine.calls, []);
  });

  Deno.test(`${name}: session() reads and stores nothing in a prerendered page, and using it throws`, async () => {
    const { engine, storage } = open();
    const page = await prerender(
      () => mount(storage),
      () => new Response("made"),
    );
    assertEquals([await page.text(), page.headers.getSetCookie()], [
      "made",
      [],
    ]);
    await assertRejects(
      () =>
        prerender(
          () => mount(storage),
          ({ session }) => Response.json(session.get("userId")),
        ),
      TypeError,
      "Cannot use session: this page is prerendered, so there is no visitor; ",
    );
    assertEquals(engine.calls, []);
  });
}

Deno.test("refusedSession() throws for each use, but not where the runtime looks at it", () => {
  const refused: Any = refusedSession("there is no visitor");
  const uses: Record<string, () => unknown> = {
    "get a property": () => refused.id,
    "call a method": () => refused.get("userId"),
    "set a property": () => refused.userId = 7,
    "look for a property": () => "id" in refused,
    "delete a property": () => delete refused.id,
    "list its properties": () => Object.keys(refused),
    "make JSON of it": () => JSON.stringify(refused),
  };
  for (const [name, use] of Object.entries(uses)) {
    assertThrows(
      use,
      TypeError,
      "Cannot use session: there is no visitor",
      name,
    );
  }
  assertEquals(typeof Deno.inspect(refused), "string");
});

Deno.test("TanStack Start: session() saves nothing, when a server function has sent its error with a 200", async () => {
  const error = { t: 25, i: 1, s: { message: { t: 1, s: "failed" } } };
  const nothing = { t: 2, s: 1 };
  const answers: [
    name: string,
    keys: string[],
    values: object[],
    saved: boolean,
  ][] = [
    ["an error", ["error"], [error], false],
    ["a result", ["result"], [{ t: 0, s: 3 }], true],
    ["an error, before 1.169", ["result", "error"], [nothing, error], false],
    ["a result, before 1.169", ["result", "error"], [error, nothing], true],
    ["another format", [], [], true],
  ];
  for (const [name, k, v, saved] of answers) {
    const engine = new FakeEngine();
    const storage = createSessionStorage({ engine, cookie: { name: "sid" } });
    const body = k.length > 0 ? { t: 10, i: 0, p: { k, v } } : ["result"];
    const headers = {
      "x-tss-serialized": "true",
      "Content-Type": "application/json",
    };
    const answer = await FRAMEWORKS[2]!.visit(
      tanStackStart(storage),
      ({ session }) => {
        session.set("a", 1);
        return new Response(JSON.stringify(body), { headers });
      },
    );
    assertEquals(engine.calls, saved ? ["write"] : [], name);
    assertEquals(answer.headers.getSetCookie().length, saved ? 1 : 0, name);
    assertEquals(await answer.json(), body, name);
  }
});
