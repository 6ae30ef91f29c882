/**
 * A server of `node:http` for as long as a test takes, and what it serves.
 *
 * @module
 */
import { createServer, type RequestListener } from "node:http";
import type { SessionError } from "../../core/errors.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { cookieHeader } from "../core/_support.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { App } from "./lifecycle/_app.ts";
import { Client } from "./lifecycle/_client.ts";
import { listen } from "./lifecycle/_node.ts";

/** Serves a listener, an application of Express for one, for as long as `use` takes. */
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

/** Serves applications of Express, each for as long as `use` takes. */
export function servingApp(
  express: Any,
): (
  routes: (app: Any) => void,
  use: (client: Client) => Promise<void>,
) => Promise<void> {
  return async (routes, use) => {
    const app = express();
    app.set("env", "test"); // or it prints errors
    routes(app);
    await serving(app, use);
  };
}

/** What the sessions of the tests hold. */
export type Data = Record<string, unknown>;

/** A storage, its engine, and a visitor whose session it has. */
export class Fixture {
  readonly engine: FakeEngine = new FakeEngine();
  readonly storage: SessionStorage<Data> = createSessionStorage({
    engine: this.engine,
    cookie: {},
  });
  /** Kept when a commit is over. */
  readonly committed: PromiseWithResolvers<void> = Promise.withResolvers();
  cookie = "";

  static async create(): Promise<Fixture> {
    const fixture = new Fixture();
    const session = await fixture.storage.getSession(null);
    session.set("userId", 7);
    fixture.cookie = cookieHeader(await fixture.storage.commitSession(session));
    fixture.engine.calls = [];
    const { storage, committed } = fixture;
    const { commitSession } = storage;
    Object.assign(storage, {
      commitSession: (...args: Parameters<typeof commitSession>) =>
        commitSession(...args).finally(() => committed.resolve()),
    });
    return fixture;
  }

  /** Whom the visitor's cookie stands for. */
  async userId(): Promise<unknown> {
    return (await this.storage.getSession(this.cookie)).get("userId");
  }
}

/** The code of what it throws. */
export function codeOf(run: () => void): string | undefined {
  try {
    run();
  } catch (error) {
    return (error as SessionError).code;
  }
}
