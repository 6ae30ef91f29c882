// The examples with a folder of their own: each is started by its one command and visited as a browser would.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { names, prepare } from "../../tools/example.ts";
import { rowName } from "../_row.ts";

/** Each prints its address once it listens; wrangler and React Router's server do so in their own words. */
const READY =
  /(?:Open |Ready on |react-router-serve\] .*)http:\/\/127\.0\.0\.1:\d+/;

/** A free port; another program may take it before the example does. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

interface Running {
  readonly port: number;
  readonly origin: string;
  /** All that it has printed. */
  printed(): string;
  stop(): Promise<void>;
}

async function start(name: string): Promise<Running> {
  const { command, args, cwd } = await prepare(name, { quiet: true });
  const sessions = await Deno.makeTempDir();
  for (let attempt = 1;; attempt++) {
    const port = freePort();
    const child = new Deno.Command(command, {
      args: [...args, ...name === "workers" ? ["--port", `${port}`] : []],
      cwd,
      env: {
        PORT: `${port}`,
        KV_PATH: ":memory:",
        SESSION_DIR: sessions,
        WRANGLER_SEND_METRICS: "false",
        NO_COLOR: "1",
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // npm passes no signal on: all that it has started ends with it.
      detached: true,
    }).spawn();
    let printed = "";
    const listening = Promise.withResolvers<boolean>();
    const listen = async (stream: ReadableStream<Uint8Array>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        printed += text;
        if (READY.test(printed)) listening.resolve(true);
      }
    };
    const ended = Promise.all([listen(child.stdout), listen(child.stderr)]);
    ended.then(() => listening.resolve(false));
    if (await listening.promise) {
      return {
        port,
        origin: `http://127.0.0.1:${port}`,
        printed: () => printed,
        async stop() {
          Deno.kill(-child.pid, "SIGTERM");
          await ended;
          await child.status;
          await Deno.remove(sessions, { recursive: true });
        },
      };
    }
    await child.status;
    if (attempt === 3 || !/in use/i.test(printed)) throw new Error(printed);
  }
}

/** A browser: one cookie, and redirects followed. */
class Browser {
  cookie = "";
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async request(path: string, form?: Record<string, string>): Promise<string> {
    const response = await this.fetch(
      path,
      form && { body: new URLSearchParams(form) },
    );
    const text = await response.text();
    for (const setCookie of response.headers.getSetCookie()) {
      assertMatch(
        setCookie,
        /^__session=.*; HttpOnly; .*SameSite=Lax/i,
        rowName(setCookie),
      );
      assert(!/; Secure/i.test(setCookie), "it would get lost on plain HTTP");
      const over = /Expires=Thu, 01 Jan 1970/i.test(setCookie);
      this.cookie = over ? "" : setCookie.split(";")[0] ?? "";
    }
    if (!form) {
      assertEquals(response.status, 200, text);
      return text;
    }
    assertEquals(response.status, 303, text);
    return await this.request(response.headers.get("Location") ?? "");
  }

  /** Gets a page, or posts what is given, and keeps no cookie of the answer. */
  async fetch(path: string, post?: Post): Promise<Response> {
    return await fetch(this.#origin + path, {
      method: post ? "POST" : "GET",
      headers: {
        Origin: this.#origin,
        ...this.cookie ? { Cookie: this.cookie } : {},
        ...post?.type ? { "Content-Type": post.type } : {},
      },
      body: post?.body ?? null,
      redirect: "manual",
    });
  }
}

interface Post {
  readonly type?: string;
  readonly body?: BodyInit;
}

/** What nobody's browser posts, but anybody can. */
function badForms(): Record<string, Post> {
  const file = new FormData();
  file.set("name", new File(["Mallory"], "name.txt"));
  return {
    "nothing": {},
    "JSON": { type: "application/json", body: '{"name":"Mallory"}' },
    "text": { type: "text/plain", body: "name=Mallory" },
    "a form without fields": { body: new URLSearchParams() },
    "an empty name": { body: new URLSearchParams({ name: "" }) },
    "another field": { body: new URLSearchParams({ nome: "Mallory" }) },
    "a file for a name": { body: file },
    "bytes for parts": {
      type: "multipart/form-data; boundary=x",
      body: "garbage",
    },
    "parts without a boundary": {
      type: "multipart/form-data",
      body: "garbage",
    },
  };
}

/** The examples that keep sessions in cookies. With the others, a logout holds at once. */
const IN_COOKIES: readonly string[] = ["react_router", "remix"];

for (const name of names) {
  Deno.test(`deno task example ${name} counts visits, keeps a name, refuses bad forms and forgets`, async () => {
    const { port, origin, printed, stop } = await start(name);
    try {
      const visitor = new Browser(origin);
      const other = new Browser(origin);
      const says = (text: string, what: string) =>
        assert(text.includes(what), `${what}\n${text}`);
      says(await visitor.request("/"), "Hello stranger, this is visit 1.");
      says(await visitor.request("/"), "this is visit 2.");
      const before = visitor.cookie;
      const named = await visitor.request("/name", { name: "Ann <b>" });
      says(named, "Your name is kept.");
      assertMatch(
        named,
        /Hello Ann &(#60|lt);b&(#62|gt);, this is visit 3\./,
      );
      assert(visitor.cookie !== before);
      const later = await visitor.request("/");
      says(later, "this is visit 4.");
      assert(!later.includes("Your name is kept."), "a flash shows once");
      for (const [what, post] of Object.entries(badForms())) {
        const { status, body } = await visitor.fetch("/name", post);
        await body?.cancel();
        assertEquals([what, status], [what, 400], what);
      }
      says(await visitor.request("/"), "this is visit 5.");
      assert(!(await visitor.request("/")).includes("stranger"));
      says(await other.request("/"), "Hello stranger, this is visit 1.");
      const left = visitor.cookie;
      says(
        await visitor.request("/leave", {}),
        "Hello stranger, this is visit 1.",
      );
      // A copy of the cookie: where the session is nowhere else, it still works.
      visitor.cookie = left;
      const after = await visitor.request("/");
      assertEquals(after.includes("stranger"), !IN_COOKIES.includes(name));
      await assertRejects(
        () => Deno.connect({ hostname: "127.0.0.2", port }),
        Error,
        undefined,
        "it listens on more than 127.0.0.1",
      );
    } finally {
      await stop();
    }
    assertMatch(printed(), /reload it: your visits are counted\./);
    assertMatch(printed(), /Sessions end when the server stops/);
    assert(!/^Warning/m.test(printed()), printed());
  });
}
