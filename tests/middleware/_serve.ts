/**
 * A `node:http` server that runs while a test does, and a storage for it.
 *
 * @module
 */
import { createServer, type RequestListener } from "node:http";
import type { SessionError } from "../../core/errors.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { cookieHeader } from "../core/_support.ts";
import { withPackages } from "../engines/_packages.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { App } from "./lifecycle/_app.ts";
import { Client } from "./lifecycle/_client.ts";
import { listen } from "./lifecycle/_node.ts";

/** Serves a listener, such as an Express application, while `use` runs. */
export async function serving(
  listener: RequestListener,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const served = await listen(new App(), createServer(listener));
  try {
    await use(new Client(served.origin));
  } finally {
    await served.stop();
  }
}

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;

/** The versions of Express that are supported. */
const EXPRESS: [name: string, specifier: string][] = [
  ["Express 5", "npm:express@5.3.0"],
  ["Express 4", "npm:express@4.22.3"],
];

/** Registers tests once for each version of Express. `name` is to be part of the tests' names. */
export async function withExpress(
  register: (express: Any, name: string) => void,
): Promise<void> {
  for (const [name, specifier] of EXPRESS) {
    await withPackages(
      name,
      [specifier],
      async () => (await import(specifier)).default,
      (express) => register(express, name),
    );
  }
}

/** Serves Express applications, each while `use` runs. */
export function servingApp(
  express: Any,
): (
  routes: (app: Any) => void,
  use: (client: Client) => Promise<void>,
) => Promise<void> {
  return async (routes, use) => {
    const app = express();
    app.set("env", "test"); // otherwise it prints errors
    routes(app);
    await serving(app, use);
  };
}

/** The data of the tests' sessions. */
export type Data = Record<string, unknown>;

/** A storage, its engine, and the cookie of a visitor with a session. */
export class Fixture {
  readonly engine: FakeEngine = new FakeEngine();
  /** The types of the storage's events. */
  readonly events: string[] = [];
  /** The sessions of the events. */
  readonly sessions: (string | undefined)[] = [];
  readonly storage: SessionStorage<Data> = createSessionStorage({
    engine: this.engine,
    cookie: {},
    onEvent: ({ type, session }) => {
      this.events.push(type);
      this.sessions.push(session);
    },
  });
  /** Resolves after a commit. */
  readonly committed: PromiseWithResolvers<void> = Promise.withResolvers();
  cookie = "";

  static async create(): Promise<Fixture> {
    const fixture = new Fixture();
    const session = await fixture.storage.getSession(null);
    session.set("userId", 7);
    fixture.cookie = cookieHeader(await fixture.storage.commitSession(session));
    fixture.engine.calls = [];
    fixture.events.length = 0;
    fixture.sessions.length = 0;
    const { storage, committed } = fixture;
    const { commitSession } = storage;
    Object.assign(storage, {
      commitSession: (...args: Parameters<typeof commitSession>) =>
        commitSession(...args).finally(() => committed.resolve()),
    });
    return fixture;
  }

  /** The user id in the visitor's session. */
  async userId(): Promise<unknown> {
    return (await this.storage.getSession(this.cookie)).get("userId");
  }
}

/** The code of the error that `run` throws. */
export function codeOf(run: () => void): string | undefined {
  try {
    run();
  } catch (error) {
    return (error as SessionError).code;
  }
}
