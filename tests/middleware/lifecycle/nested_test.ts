// Requests that a handler makes to its own application share the session of the browser's request.
import { assertEquals, assertRejects } from "@std/assert";
import type { Session } from "../../../core/session.ts";
import {
  type FetchExchange,
  respond,
} from "../../../middleware/lifecycle/response.ts";
import { nested, type Sharing } from "../../../middleware/lifecycle/nested.ts";
import type { SessionStorage } from "../../../storage/contract.ts";
import { createSessionStorage } from "../../../storage/create_session_storage.ts";
import { rowName } from "../../_row.ts";
import { withPackages } from "../../engines/_packages.ts";
import { PACKAGES, startWorkerd } from "../../engines/_workerd.ts";
import { cookieHeader } from "../../core/_support.ts";
import { FakeEngine } from "../../storage/_fake_engine.ts";
import { bundle } from "./_elsewhere.ts";

type Data = Record<string, unknown>;
type Handler = (session: Session<Data>, request: Request) => unknown;

const engine = new FakeEngine();
const storage: SessionStorage<Data> = createSessionStorage({
  engine,
  cookie: { name: "sid", secrets: ["s3cr3t"] },
});

/** Answers a request, as a framework's hook would. */
async function visit(
  handler: Handler,
  { cookie = "", sharing = "same-cookie", from = storage, request }: {
    cookie?: string;
    sharing?: Sharing;
    from?: SessionStorage<Data>;
    request?: Request;
  } = {},
): Promise<Response> {
  const asked = request ??
    new Request("http://localhost/", { headers: cookie ? { cookie } : {} });
  const exchange: FetchExchange<Data, Data> = {
    request: asked,
    nesting: nested(sharing),
    async handle(session) {
      const answer = await handler(session, asked);
      return answer instanceof Response ? answer : new Response("fine");
    },
  };
  return await respond(from, exchange) as Response;
}

/** Creates a session, and returns its cookie. */
async function visitor(values: Data): Promise<string> {
  const answer = await visit((session) => {
    for (const [key, value] of Object.entries(values)) session.set(key, value);
  });
  engine.calls = [];
  return cookieOf(answer);
}

function cookieOf(answer: Response): string {
  return answer.headers.getSetCookie().map(cookieHeader).join("; ");
}

async function dataOf(cookie: string): Promise<Data> {
  return (await storage.getSession(cookie)).data;
}

Deno.test("a nested request shares the session: one read, one write, one cookie", async () => {
  for (const cookie of ["", await visitor({ a: 0 })]) {
    engine.calls = [];
    const answer = await visit(async (outer) => {
      outer.set("before", 1);
      const inner = await visit((session) => {
        session.set("seen", session.get("before"));
        session.regenerateId();
      }, { cookie });
      assertEquals(inner.headers.getSetCookie(), [], "the nested answer");
      assertEquals(outer.get("seen"), 1, rowName(cookie));
      outer.set("after", 1);
    }, { cookie });
    const data = await dataOf(cookieOf(answer));
    const { a: _, ...rest } = data;
    assertEquals(rest, { before: 1, seen: 1, after: 1 }, rowName(cookie));
    assertEquals(answer.headers.getSetCookie().length, 1, rowName(cookie));
  }
});

Deno.test("a nested request calls the engine for nothing of its own", async () => {
  const cookie = await visitor({ a: 0 });
  await visit(async (outer) => {
    const inner = () => visit((session) => session.get("a"), { cookie });
    await Promise.all([inner(), inner()]);
    outer.set("a", 1);
  }, { cookie });
  assertEquals(engine.calls, ["read", "write"]);
});

Deno.test("a logout in a nested request is the visitor's logout", async () => {
  const cookie = await visitor({ a: 0 });
  const answer = await visit(async () => {
    await visit((session) => session.destroy(), { cookie });
  }, { cookie });
  assertEquals(cookieOf(answer), "sid=");
  assertEquals(await dataOf(cookie), {});
});

Deno.test("a nested request of another visitor has their session", async () => {
  const [ann, bob] = [
    await visitor({ who: "ann" }),
    await visitor({ who: "bob" }),
  ];
  for (const sharing of ["same-cookie", "same-cookie-or-none"] as const) {
    await visit(async (outer) => {
      await visit((inner) => {
        assertEquals(
          [outer.get("who"), inner.get("who")],
          ["ann", "bob"],
          sharing,
        );
      }, { cookie: bob, sharing });
    }, { cookie: ann, sharing });
  }
});

Deno.test("a nested request without the cookie shares the session only if its framework does not pass cookies on", async () => {
  const cookie = await visitor({ who: "ann" });
  for (
    const [sharing, who] of [
      ["same-cookie", undefined],
      ["same-cookie-or-none", "ann"],
    ] as const
  ) {
    await visit(async () => {
      await visit((inner) => assertEquals(inner.get("who"), who, sharing), {
        sharing,
      });
    }, { cookie, sharing });
  }
});

Deno.test("visitors at the same time do not share a session", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const visits = gates.map((gate, i) =>
    visit(async (outer) => {
      outer.set("i", i);
      gate.resolve();
      await gates[1 - i]!.promise;
      await visit((inner) => assertEquals(inner.get("i"), i, String(i)));
    })
  );
  const cookies = (await Promise.all(visits)).map(cookieOf);
  for (const [i, cookie] of cookies.entries()) {
    assertEquals(await dataOf(cookie), { i }, String(i));
  }
});

Deno.test("work that goes on after the answer has a session of its own", async () => {
  const cookie = await visitor({ a: 0 });
  const gate = Promise.withResolvers<void>();
  let later: Promise<Response> | undefined;
  await visit(() => {
    later = gate.promise.then(() =>
      visit((session) => session.set("late", 1), { cookie })
    );
  }, { cookie });
  gate.resolve();
  assertEquals((await later)?.status, 200);
  assertEquals(await dataOf(cookie), { a: 0, late: 1 });
});

Deno.test("a nested request that fails keeps its changes, if the browser's request succeeds", async () => {
  const answer = await visit(async () => {
    const inner = await visit((session) => {
      session.set("inner", 1);
      throw new Response("thrown", { status: 500 });
    });
    assertEquals([inner.status, await inner.text()], [500, "thrown"]);
    await assertRejects(
      () =>
        visit(() => {
          throw new RangeError("inner");
        }),
      RangeError,
      "inner",
    );
  });
  assertEquals(await dataOf(cookieOf(answer)), { inner: 1 });
});

Deno.test("two storages are shared each by itself", async () => {
  const other: SessionStorage<Data> = createSessionStorage({
    engine: new FakeEngine(),
    cookie: { name: "other" },
  });
  const both = (use: (mine: Session<Data>, others: Session<Data>) => unknown) =>
    visit((mine) => visit((others) => use(mine, others), { from: other }));
  const answer = await both(async (mine, others) => {
    await both((nested, nestedOther) => {
      nested.set("a", 1);
      nestedOther.set("b", 2);
    });
    assertEquals([mine.get("a"), others.get("b")], [1, 2]);
  });
  const names = answer.headers.getSetCookie().map((each) => each.split("=")[0]);
  assertEquals(names, ["other", "sid"]);
});

Deno.test("a middleware that is mounted twice does not share: its entry refuses that", async () => {
  await visit(async (outer, request) => {
    await visit((inner) => {
      if (inner === outer) throw new Error("shared");
    }, { request });
  });
});

await withPackages(
  "Workers",
  PACKAGES,
  () => Promise.resolve(),
  () => {
    Deno.test({
      name:
        "in a Worker, a nested request shares the session if nodejs_compat is set",
      // workerd ends with this process.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const file = await Deno.makeTempFile({ suffix: ".mjs" });
        await bundle("./_nested_worker.ts", file);
        const script = await Deno.readTextFile(file);
        await Deno.remove(file);
        for (const flags of [["nodejs_compat"], []]) {
          const { origin } = await startWorkerd({ script, flags });
          const response = await fetch(origin);
          const name = rowName(...flags);
          assertEquals(await response.json(), flags.length > 0, name);
          assertEquals(response.headers.getSetCookie().length, 1, name);
        }
      },
    });
  },
);
