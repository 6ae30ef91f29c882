/**
 * Tests of sessions with properties, in each version of Express.
 *
 * @module
 */
import { session } from "../../middleware/express.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import type { Client } from "./lifecycle/_client.ts";
import { type Data, servingApp, withExpress } from "./_serve.ts";
import { Visitor } from "./_visitor.ts";

// deno-lint-ignore no-explicit-any -- Express comes without types
type Any = any;

/** The storage's time. */
export const NOW = 1_700_000_000_000;

/** What a test sees. */
export interface World {
  readonly client: Client;
  readonly ann: Visitor;
  readonly engine: FakeEngine;
  readonly storage: SessionStorage<Data>;
  /** The types of the storage's events. */
  readonly events: string[];
  /** The errors that reached Express. */
  readonly errors: Any[];
}

/** Registers a test of an application, and of what a visitor sees of it. */
export type Test = (
  title: string,
  routes: (app: Any) => void,
  check: (world: World) => Promise<void>,
  cookie?: Record<string, unknown>,
) => void;

/** The values that a visitor's session has. */
export async function all(visitor: Visitor): Promise<Any> {
  return JSON.parse((await visitor.get("/all")).text);
}

/** Registers tests once for each version of Express. */
export async function withProperties(
  register: (test: Test, express: Any, name: string) => void,
): Promise<void> {
  await withExpress((express, name) => {
    const serve = servingApp(express);
    const test: Test = (title, routes, check, cookie = {}) => {
      Deno.test(`${name}: session() with properties ${title}`, async () => {
        const engine = new FakeEngine();
        const events: string[] = [];
        const errors: Any[] = [];
        const storage = createSessionStorage<Data>({
          engine,
          cookie,
          now: () => NOW,
          onEvent: ({ type }) => events.push(type),
        });
        await serve((app) => {
          app.use(session(storage, { properties: true }));
          app.get("/set/:key", (req: Any, res: Any) => {
            req.session[req.params.key] = JSON.parse(req.query.to ?? "1");
            res.end();
          });
          app.get("/all", (req: Any, res: Any) => {
            const { cookie: _, ...values } = req.session;
            res.json(values);
          });
          routes(app);
          app.use((error: Any, _req: Any, res: Any, _next: Any) => {
            errors.push(error);
            res.status(500).send("failed");
          });
        }, async (client) => {
          const ann = new Visitor(client);
          await check({ client, ann, engine, storage, events, errors });
        });
      });
    };
    register(test, express, name);
  });
}
