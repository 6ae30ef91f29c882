/**
 * An application that sends every kind of answer on a host: with and without a session, and with other middlewares
 * before it and after it. Runs on Deno and on Node.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Session } from "../../../core/session.ts";
import { loader, session as express } from "../../../middleware/express.ts";
import { session as h3Session } from "../../../middleware/h3.ts";
import { session as node } from "../../../middleware/node.ts";
import type { SessionStorage } from "../../../storage/contract.ts";
import { createSessionStorage } from "../../../storage/create_session_storage.ts";
import { FakeEngine } from "../../storage/_fake_engine.ts";
import { KINDS, type Tools } from "./_kinds.ts";
import { text } from "./_text.ts";

// deno-lint-ignore no-explicit-any -- packages without types
type Any = any;

/** The packages that the application uses. */
export interface Packages {
  readonly express5: Any;
  readonly express4: Any;
  readonly compression: Any;
  readonly expressSession: Any;
  readonly onHeaders: Any;
  readonly h3: Any;
  readonly toNodeHandler: Any;
  readonly writeBody: Any;
}

/** The servers. */
export const HOSTS = [
  "Express 5",
  "Express 4",
  "node:http",
  "node:http2",
  "h3 in node:http",
  "h3's own session",
] as const;
/** Where other middlewares are. */
export const ORDERS = ["alone", "before", "after"] as const;
/** The other middlewares. */
export const OTHERS = [
  "compression",
  "on-headers",
  "express-session",
  "wrapped methods",
  "all",
] as const;
/** What the application does with the session; `none` does without one. */
export const SESSIONS = ["none", "unchanged", "changed"] as const;

/** One arrangement of middlewares. */
export interface Setup {
  readonly host: typeof HOSTS[number];
  readonly order: typeof ORDERS[number];
  readonly other: typeof OTHERS[number];
  readonly session: typeof SESSIONS[number];
}

/** The path of an arrangement, to which a kind's path is added. */
export function pathOf({ order, other, session }: Setup): string {
  return `/${order}/${encodeURIComponent(other)}/${session}`;
}

type Middleware = (req: Any, res: Any, next: (error?: unknown) => void) => void;
type Data = Record<string, unknown>;

/** What the kinds of h3 return. */
export const H3_KINDS: Readonly<
  Record<string, (h3: Any) => unknown>
> = {
  "a text": () => "a text",
  "an object": () => ({ a: [1, "é"] }),
  "nothing": () => null,
  "204": ({ noContent }) => noContent(),
  "a Response": () =>
    new Response("a text", { status: 201, headers: { "X-A": "1" } }),
  "a stream": () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (let i = 0; i < 20; i++) {
            controller.enqueue(
              new TextEncoder().encode(`${i} ${text(20_000)}`),
            );
          }
          controller.close();
        },
      }),
    ),
  "a redirect": ({ redirect }) => redirect("/elsewhere", 303),
  "an HTTP error": ({ HTTPError }) => {
    throw new HTTPError({ status: 404, statusText: "no such page" });
  },
};

/** Serves every arrangement on one host. */
export class Answers {
  readonly storage: SessionStorage<Data>;
  readonly #host: Setup["host"];
  readonly #packages: Packages;
  readonly #listeners = new Map<string, (req: Any, res: Any) => unknown>();
  readonly #dir: string;
  readonly #upstream: Server;
  readonly #server: Server;
  #tools: Tools;

  constructor(host: Setup["host"], packages: Packages) {
    this.#host = host;
    this.#packages = packages;
    const engine = new FakeEngine();
    const { write } = engine;
    // A save takes some turns of the event loop, so that handlers go on meanwhile.
    engine.write = async (...args) => {
      for (let i = 0; i < 5; i++) {
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      return await write.apply(engine, args);
    };
    this.storage = createSessionStorage({ engine, cookie: {} });
    this.#dir = mkdtempSync(join(tmpdir(), "answers-"));
    writeFileSync(join(this.#dir, "small.css"), text(9_000));
    writeFileSync(join(this.#dir, "large.txt"), text(300_000));
    this.#upstream = createServer((_req, res) => {
      res.setHeader("Content-Type", "text/plain");
      res.setHeader("ETag", '"1"');
      res.write(text(200_000));
      res.end(text(100_000));
    });
    const listener = (req: Any, res: Any) => void this.#serve(req, res);
    this.#server = host === "node:http2"
      ? createHttp2Server(listener) as unknown as Server
      : createServer(listener);
    this.#tools = { dir: this.#dir, upstream: "" };
  }

  /** Starts it. Returns the port. */
  async start(): Promise<number> {
    const upstream = await listen(this.#upstream);
    const { express5, writeBody } = this.#packages;
    this.#tools = {
      dir: this.#dir,
      upstream: `http://127.0.0.1:${upstream}/`,
      files: express5.static(this.#dir),
      loader,
      writeBody,
    };
    return await listen(this.#server);
  }

  async stop(): Promise<void> {
    for (const server of [this.#server, this.#upstream]) {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections?.();
      });
    }
    rmSync(this.#dir, { recursive: true });
  }

  async #serve(req: Any, res: Any): Promise<void> {
    const [, order, other, session, ...path] = req.url.split("/");
    if (order === "login") {
      const session = await this.storage.getSession(null);
      session.set("visits", 0);
      res.end(await this.storage.commitSession(session));
      return;
    }
    const key = `${order}/${other}/${session}`;
    let listener = this.#listeners.get(key);
    if (!listener) {
      listener = this.#listener(
        { order, other: decodeURIComponent(other), session } as Setup,
      );
      this.#listeners.set(key, listener);
    }
    req.kind = decodeURIComponent(path.shift());
    req.url = `/${path.join("/")}`;
    await listener(req, res);
  }

  #listener(setup: Setup): (req: Any, res: Any) => unknown {
    const { storage } = this;
    const host = this.#host;
    const others = setup.order === "alone" ? [] : this.#others(setup);
    const before = setup.order === "before" ? others : [];
    const after = setup.order === "after" ? others : [];
    const answer = this.#answer(setup);
    const withSession = setup.session !== "none";
    if (host === "Express 5" || host === "Express 4") {
      const { express5, express4 } = this.#packages;
      const app = (host === "Express 5" ? express5 : express4)();
      app.set("env", "test"); // otherwise it prints errors
      for (const each of before) app.use(each);
      if (withSession) app.use(express(storage, { key: "mine" }));
      for (const each of after) app.use(each);
      app.use(answer);
      return app;
    }
    if (!withSession || host === "h3's own session") {
      return (req, res) => run([...before, ...after, answer], req, res);
    }
    const inner = node(storage, (req: Any, res: Any, mine) => {
      req.mine = mine;
      return run([...after, answer], req, res);
    });
    return (req, res) => run([...before, inner], req, res);
  }

  /** The handler that sends the answers. */
  #answer({ session }: Setup): Middleware {
    const isChanged = session === "changed";
    const change = (mine: Session<Data> | undefined) => {
      if (isChanged) mine?.set("visits", Number(mine.get("visits") ?? 0) + 1);
      else mine?.get("visits");
    };
    if (!this.#host.startsWith("h3")) {
      return (req, res) => {
        change(req.mine);
        return KINDS[req.kind]!.send(req, res, this.#tools);
      };
    }
    const { h3, toNodeHandler } = this.#packages;
    const app = new h3.H3({ silent: true });
    const isOwn = this.#host === "h3's own session";
    if (isOwn && session !== "none") app.use(h3Session(this.storage));
    app.use((event: Any) => {
      const { req } = event.runtime.node;
      change(isOwn ? event.context.session : req.mine);
      return H3_KINDS[req.kind]!(h3);
    });
    return toNodeHandler(app);
  }

  #others({ other }: Setup): Middleware[] {
    const { compression, expressSession, onHeaders } = this.#packages;
    const all: Record<string, () => Middleware> = {
      "compression": () => compression({ threshold: 0 }),
      "on-headers": () => (_req, res, next) => {
        onHeaders(res, () => {
          res.setHeader("X-On-Headers", String(res.statusCode));
        });
        next();
      },
      "express-session": () => {
        const theirs = expressSession({
          name: "theirs",
          secret: "s",
          resave: false,
          saveUninitialized: false,
        });
        return (req, res, next) =>
          theirs(req, res, (error?: unknown) => {
            req.session.user = 1;
            next(error);
          });
      },
      "wrapped methods": () => (_req, res, next) => {
        for (const name of ["writeHead", "write", "end"]) {
          const method = res[name];
          res[name] = function (...args: unknown[]) {
            return method.apply(this, args);
          };
        }
        next();
      },
    };
    return other === "all"
      ? Object.values(all).map((make) => make())
      : [all[other]!()];
  }
}

/** Runs middlewares without a framework. */
function run(chain: readonly Middleware[], req: Any, res: Any): unknown {
  const [first, ...rest] = chain;
  return first!(req, res, (error) => {
    if (error) res.destroy(error);
    else run(rest, req, res);
  });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  return (server.address() as AddressInfo).port;
}
