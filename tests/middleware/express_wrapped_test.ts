// Express applications have other middlewares that wrap the response: whichever comes first, neither loses anything.
import { assert, assertEquals } from "@std/assert";
import { createServer } from "node:http";
import { session } from "../../middleware/express.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { withPackages } from "../engines/_packages.ts";
import { App } from "./lifecycle/_app.ts";
import { Client } from "./lifecycle/_client.ts";
import { listen } from "./lifecycle/_node.ts";

// deno-lint-ignore no-explicit-any -- these packages come without types
type Any = any;

/** A middleware that wraps responses. */
interface Wrapper {
  readonly create: () => Any;
  /** Whether a response to a visitor without a cookie shows its work. */
  readonly shows: (headers: Headers) => boolean;
}

const setsTheirs = (headers: Headers) =>
  headers.getSetCookie().some((text) => text.startsWith("theirs="));

await withPackages(
  "what wraps Express's responses",
  [
    "npm:express@5.3.0",
    "npm:compression@1.8.2",
    "npm:response-time@2.3.4",
    "npm:cookie-session@2.1.1",
    "npm:express-session@1.19.0",
  ],
  async () => {
    const express = (await import("npm:express@5.3.0")).default as Any;
    const compression = (await import("npm:compression@1.8.2")).default as Any;
    const responseTime = (await import("npm:response-time@2.3.4"))
      .default as Any;
    const cookieSession = (await import("npm:cookie-session@2.1.1"))
      .default as Any;
    const expressSession = (await import("npm:express-session@1.19.0"))
      .default as Any;
    const touch = (middleware: Any) => (req: Any, res: Any, next: Any) =>
      middleware(req, res, () => {
        req.session.seen = true;
        next();
      });
    const wrappers: Record<string, Wrapper> = {
      "compression": {
        create: () => compression({ threshold: 0 }),
        // fetch() takes the other header away, with the compression.
        shows: (headers) => /accept-encoding/i.test(headers.get("vary") ?? ""),
      },
      "response-time": {
        create: () => responseTime(),
        shows: (headers) => headers.has("x-response-time"),
      },
      "cookie-session": {
        create: () => touch(cookieSession({ name: "theirs", secret: "s" })),
        shows: setsTheirs,
      },
      "express-session": {
        create: () =>
          touch(expressSession({
            name: "theirs",
            secret: "s",
            resave: false,
            saveUninitialized: false,
          })),
        shows: setsTheirs,
      },
    };
    return { express, wrappers };
  },
  ({ express, wrappers }) => {
    const bodies: Record<string, (res: Any) => void> = {
      "/send": (res) => res.send("x".repeat(2_000)),
      "/parts": (res) => {
        res.write("x".repeat(1_000));
        res.write("x".repeat(999));
        res.end("x");
      },
    };
    for (const [name, { create, shows }] of Object.entries(wrappers)) {
      for (const place of ["before", "after"]) {
        Deno.test(`session() and ${name} lose nothing of each other, mounted ${place} it`, async () => {
          const storage = createMemorySessionStorage({ cookie: {} });
          const app = express().set("env", "test");
          const own = session(storage, { key: "ours" });
          app.use(...place === "before" ? [create(), own] : [own, create()]);
          for (const [path, send] of Object.entries(bodies)) {
            app.get(path, (_req: Any, res: Any) => send(res.type("text")));
            app.get(`${path}/login`, (req: Any, res: Any) => {
              req.ours.regenerateId();
              req.ours.set("userId", "ann");
              send(res.type("text"));
            });
          }
          const served = await listen(new App(), createServer(app));
          try {
            const client = new Client(served.origin);
            for (const path of Object.keys(bodies)) {
              const idle = await client.request(path);
              assertEquals([idle.status, idle.text], [200, "x".repeat(2_000)]);
              assert(ours(idle.setCookies) === undefined);
              let cookie = "";
              // A second login ends the id of the first: the visitor must be sent the new one.
              for (let login = 0; login < 2; login++) {
                const answer = await client.request(`${path}/login`, cookie);
                assertEquals(
                  [answer.status, answer.text],
                  [200, "x".repeat(2_000)],
                );
                assert(shows(answer.headers));
                const sent = ours(answer.setCookies);
                assert(sent !== undefined && sent !== cookie);
                const found = await storage.getSession(sent);
                assertEquals(found.get("userId"), "ann");
                cookie = sent;
              }
            }
          } finally {
            await served.stop();
          }
        });
      }
    }
  },
);

function ours(setCookies: readonly string[]): string | undefined {
  return setCookies.find((text) => text.startsWith("__session="))
    ?.split(";")[0];
}
