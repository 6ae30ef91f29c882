/**
 * The application that every framework serves, so that one list of cases can test all of them.
 *
 * It may run in another process, as its framework does. So tests query it over HTTP.
 *
 * @module
 */
import { SessionError } from "../../../core/errors.ts";
import type { Session } from "../../../core/session.ts";
import type { CrossOrigin } from "../../../middleware/lifecycle/cross_origin.ts";
import type { SessionStorage } from "../../../storage/contract.ts";
import { createSessionStorage } from "../../../storage/create_session_storage.ts";
import { FakeEngine, type Verb } from "../../storage/_fake_engine.ts";
import { visitAnswer } from "./_answers.ts";

/** The data of the application's sessions. */
export type Data = Record<string, unknown>;

/** A handler's answer. Each driver sends it as its framework does. */
export type Reply =
  | {
    kind: "text";
    body: string | Uint8Array<ArrayBuffer> | null;
    status?: number;
    headers?: [string, string][];
  }
  | { kind: "redirect"; to: string }
  /** The headers are sent, then `onSent` runs, then the body is sent. */
  | { kind: "stream"; onSent: () => void }
  /** The body is "first ", and "last" when `rest` resolves. */
  | { kind: "live"; rest: () => Promise<unknown> }
  /** The answer of `fetch(from)`, passed on. */
  | { kind: "passed"; from: string }
  /** An answer that was made once, for all visitors. Each driver has its own list of them. */
  | { kind: "shared"; name: string }
  /** An HTTP error, as the framework makes it. */
  | { kind: "http error"; status: number }
  | { kind: "throw" }
  | { kind: "throw redirect"; to: string }
  | { kind: "nothing" }
  | { kind: "upgrade" };

/** The sessions of one request. */
export interface Sessions {
  session: Session<Data>;
  /** A second one, with another cookie. */
  other: Session<Data>;
}

/** The error that handlers throw. */
export class HandlerError extends Error {
  override readonly name = "HandlerError";
}

/** What the application reports to tests. */
export interface Log {
  /** The calls to the engine of `session`. */
  ops: string[];
  /** The codes of changes that threw, and of errors that reached the framework. */
  events: string[];
  /** Unhandled rejections. */
  unhandled: string[];
  /** The types of the storage's own events. */
  reports: string[];
  /** The names of shared answers that have changed. */
  changed: string[];
}

/** The application. Each driver serves one. */
export class App {
  readonly engine: FakeEngine = new FakeEngine();
  readonly storage: SessionStorage<Data> = createSessionStorage({
    engine: this.engine,
    cookie: { name: "sid", secrets: ["s3cr3t"] },
    onEvent: ({ type }) => void this.#reports.push(type),
  });
  readonly other: SessionStorage<Data> = createSessionStorage({
    engine: new FakeEngine(),
    cookie: { name: "other" },
  });
  /** The options of the middleware of `other`. */
  readonly strict: {
    isFailure(status: number): boolean;
    crossOrigin: CrossOrigin;
  } = {
    isFailure: (status) => status >= 400,
    crossOrigin: { trust: ["https://app.example.com"] },
  };
  readonly #events: string[] = [];
  readonly #reports: string[] = [];
  readonly #shared: Map<string, { answer: unknown; before: string }> =
    new Map();
  readonly #unhandled: string[] = [];
  #kept: Session<Data> | undefined;
  #entered = deferred();
  #gate = deferred();

  /** Records an error that reached the framework, unless it is an HTTP error of the framework's own. */
  failed(error: unknown): void {
    const { status } = Object(error);
    if (typeof status === "number" && !(error instanceof Response)) return;
    this.#events.push(
      error instanceof SessionError ? error.code : (error as Error)?.name,
    );
  }

  /** Records an unhandled rejection. */
  unhandled(reason: unknown): void {
    this.#unhandled.push(String((reason as Error)?.stack ?? reason));
  }

  /** Makes a shared answer once. */
  share<T>(name: string, make: () => T): T {
    const shared = this.#shared.get(name);
    if (shared) return shared.answer as T;
    const answer = make();
    this.#shared.set(name, { answer, before: describe(answer) });
    return answer;
  }

  /** Tells the test that the handler runs, and waits for the test. */
  async gate(): Promise<void> {
    this.#entered.resolve();
    await this.#gate.promise;
  }

  /** Runs the handler of a path. */
  async visit(path: string, sessions: Sessions): Promise<Reply> {
    const { session, other } = sessions;
    switch (path) {
      case "/look":
        return text(`looked ${session.get("visits")}`);
      case "/count":
        return text(`visit ${count(session)}`);
      case "/read":
        return text(JSON.stringify([session.data, other.data]));
      case "/flash":
        session.flash("notice", "saved");
        return { kind: "redirect", to: "/notice" };
      case "/notice": {
        const notice = String(session.get("notice") ?? "nothing");
        return text(notice, 200, [["X-Notice", notice]]);
      }
      case "/stream":
        count(session);
        return { kind: "stream", onSent: () => this.#tryAll(session) };
      case "/throw":
        count(session);
        session.regenerateId();
        return { kind: "throw" };
      case "/throw-redirect":
        session.flash("notice", "thrown");
        return { kind: "throw redirect", to: "/notice" };
      case "/not-modified":
        count(session);
        return text(null, 304, [["ETag", '"1"']]);
      case "/upgrade":
        return { kind: "upgrade" };
      case "/upgrade-changed":
        count(session);
        return { kind: "upgrade" };
      case "/both":
        session.set("a", 1);
        other.set("b", 2);
        return text("both");
      case "/one":
        other.set("b", 3);
        return text("one");
      case "/cookies":
        count(session);
        return text("", 200, [["Set-Cookie", "one=1"], [
          "Set-Cookie",
          "two=2",
        ]]);
      case "/vary":
        count(session);
        return text("", 200, [["Vary", "Accept"], ["Cache-Control", "public"]]);
      case "/login":
        session.regenerateId();
        session.set("userId", 7);
        return text("in");
      case "/logout":
        session.destroy();
        return text("out");
      case "/keep":
        this.#kept = session;
        count(session);
        return text("kept");
      case "/bad":
        session.set("when", new Date(0));
        return text("bad");
      case "/nothing":
        this.#entered.resolve();
        count(session);
        return { kind: "nothing" };
      case "/twice":
        return text(`visit ${count(session)}`);
      case "/gate":
        session.set("before", 1);
        await this.gate();
        // If the visitor aborted the request, the session may be closed.
        this.#try(() => session.set("after", 1));
        return text("through");
      default:
        return await visitAnswer(this, path, sessions);
    }
  }

  /** Answers tests, as JSON, without a session. */
  async control(target: string): Promise<string> {
    const { pathname, searchParams } = new URL(target, "http://localhost");
    switch (pathname) {
      case "/control/reset":
        this.engine.calls = [];
        this.#events.length = 0;
        this.#reports.length = 0;
        this.#entered = deferred();
        this.#gate = deferred();
        break;
      case "/control/fail":
        this.engine.play(searchParams.get("verb") as Verb, "fail");
        break;
      case "/control/late":
        if (this.#kept) this.#tryAll(this.#kept);
        break;
      case "/control/entered":
        await this.#entered.promise;
        break;
      case "/control/open":
        this.#gate.resolve();
        break;
    }
    const log: Log = {
      ops: this.engine.calls,
      events: this.#events,
      unhandled: this.#unhandled,
      reports: this.#reports,
      changed: [...this.#shared].flatMap(([name, { answer, before }]) =>
        describe(answer) === before ? [] : [name]
      ),
    };
    return JSON.stringify(log);
  }

  /** Tries every kind of change. */
  #tryAll(session: Session<Data>): void {
    for (
      const change of [
        () => session.set("late", 1),
        () => session.flash("late", 1),
        () => session.unset("visits"),
        () => session.regenerateId(),
        () => session.destroy(),
      ]
    ) this.#try(change);
  }

  #try(change: () => void): void {
    try {
      change();
    } catch (error) {
      this.failed(error);
    }
  }
}

/** Counts a visit. */
export function count(session: Session<Data>): number {
  const visits = Number(session.get("visits") ?? 0) + 1;
  session.set("visits", visits);
  return visits;
}

/** An answer with a text. */
export function text(
  body: Extract<Reply, { kind: "text" }>["body"],
  status = 200,
  headers: [string, string][] = [],
): Reply {
  return { kind: "text", body, status, headers };
}

/**
 * What a session could change in an answer: its headers, those of the response in it, and its own properties. oak sets
 * `Content-Length` on any headers.
 */
function describe(answer: unknown): string {
  const { headers, res } = Object(answer);
  return JSON.stringify([
    answer,
    ...[answer, headers, res?.headers].map((each) =>
      each instanceof Headers
        ? [...each].filter(([name]) => name !== "content-length")
        : []
    ),
  ]);
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => resolve = done);
  return { promise, resolve };
}
