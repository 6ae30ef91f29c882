/**
 * The package next to Express, Fastify and Koa, as an application for Node has them: types, `require`, and the examples
 * that express-session documents.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { rowName } from "../_row.ts";
import { runtime } from "../runtimes/_runtime.ts";
import type { Project } from "./_project.ts";

/** The frameworks, and types where they do not have their own. */
const PACKAGES = [
  "@types/express@5.0.6",
  "@types/koa@3.0.3",
  "@types/node@26.6.7",
  "express-session@1.19.0",
  "express@5.3.0",
  "fastify@5.12.8",
];

/** Runs the steps in a project that has the package. */
export async function withFrameworks(
  t: Deno.TestContext,
  project: Project,
): Promise<void> {
  await project.install(...PACKAGES);
  const resolution = ["--module", "nodenext", "--moduleResolution", "nodenext"];
  const check = (file: string, ...options: string[]) =>
    project.check(file, ...resolution, "--types", "node", ...options);

  await t.step("TypeScript, with Fastify and Express", async () => {
    await project.write("frameworks.ts", FRAMEWORKS);
    await check("frameworks.ts");
  });

  await t.step("TypeScript, with Koa", async () => {
    await project.write("koa.ts", KOA);
    // @types/koa does not fit the types of content-disposition, which it imports.
    await check("koa.ts", "--skipLibCheck", "true");
  });

  await t.step("TypeScript, without @types/express-session", async () => {
    await project.write("express-session.d.ts", documentedTypes());
    await project.write("app.ts", EXPRESS_SESSION);
    await check("app.ts", "express-session.d.ts");
  });

  await project.install("@types/express-session@1.19.0");
  await t.step(
    "TypeScript, with @types/express-session",
    () => check("app.ts", "--types", "node,express-session"),
  );

  await t.step("TypeScript, with require", async () => {
    await project.write("required.cts", REQUIRED);
    await check("required.cts");
  });

  await project.write("examples.cjs", EXAMPLES);
  for (const which of ["node20", "node22", "node", "bun"] as const) {
    await t.step(
      `the README of express-session, required by ${which}`,
      async () => {
        const command = await runtime(which);
        const printed = await project.succeed(command, "examples.cjs");
        assertEquals(JSON.parse(printed), SEEN, rowName(which));
      },
    );
  }
}

/** The file that docs/middleware.md shows. */
function documentedTypes(): string {
  const page = Deno.readTextFileSync(
    new URL("../../docs/middleware.md", import.meta.url),
  );
  const [, types] =
    page.match(/^```dts\n(\/\/ src\/express-session\.d\.ts\n[^]*?)^```$/m) ??
      [];
  assert(types, "docs/middleware.md shows the types of req.session");
  return types;
}

const FRAMEWORKS = `
import express from "express";
import { fastify, type FastifyReply, type FastifyRequest } from "fastify";
import { createMemorySessionStorage } from "@satchel/session";
import expressSession, { type SessionOf } from "@satchel/session/middleware/express";
import { session as fastifySession, type SessionRequest } from "@satchel/session/middleware/fastify";

const storage = createMemorySessionStorage<{ visits: number }>();

declare global {
  namespace Express {
    interface Request {
      session: SessionOf<typeof storage>;
    }
  }
}
declare module "fastify" {
  interface FastifyRequest extends SessionRequest<typeof storage> {}
}

express().use(expressSession(storage)).get("/", ({ session }, res) => {
  const visits: number | undefined = session.get("visits");
  // @ts-expect-error the type of a key is known
  session.set("visits", "two");
  res.json(visits);
});

// The page for an engine that fails is written with the framework's own types.
expressSession(storage, {
  onUnavailable: (error, _req: express.Request, res: express.Response) =>
    void res.status(503).send(error.code),
});
fastifySession(storage, {
  onUnavailable: (error, _request: FastifyRequest, reply: FastifyReply) =>
    reply.code(503).send(error.code),
});

const app = fastify();
app.register(fastifySession(storage));
app.get("/", async ({ session }) => {
  const visits: number | undefined = session.get("visits");
  // @ts-expect-error the type of a key is known
  session.set("visits", "two");
  return visits;
});
`;

const KOA = `
import Koa from "koa";
import { createMemorySessionStorage } from "@satchel/session";
import { session, type SessionContext, type SessionProperties } from "@satchel/session/middleware/koa";

const storage = createMemorySessionStorage<{ visits: number }>();
new Koa<Koa.DefaultState, SessionContext<typeof storage>>()
  .use(session(storage))
  .use(({ session }) => {
    const visits: number | undefined = session.get("visits");
    // @ts-expect-error the type of a key is known
    session.set("visits", "two");
    return visits;
  });

interface WithProperties {
  session: SessionProperties<{ visits: number }>;
}
new Koa<Koa.DefaultState, WithProperties>()
  .use(session(storage, { properties: true }))
  .use(async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1;
    // @ts-expect-error the type of a property is known
    session.visits = "two";
    await session.regenerate(["visits"]);
    session.save((error) => void error).touch();
  });
`;

/** As applications with express-session are written. */
const EXPRESS_SESSION = `
import express from "express";
import session from "@satchel/session/middleware/express";
import { createMemorySessionStorage } from "@satchel/session";

declare module "express-session" {
  interface SessionData {
    user: { name: string };
  }
}

const app = express();
app.use(session(createMemorySessionStorage(), { properties: true }));
app.get("/", (req, res, next) => {
  const name: string | undefined = req.session.user?.name;
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.user = { name: "ann" };
    // @ts-expect-error the type of a property is known
    req.session.user = "ann";
    req.session.save(() => res.json([name, req.sessionID, req.session.id]));
  });
});
`;

const REQUIRED = `
import session = require("@satchel/session/middleware/express");
import satchel = require("@satchel/session");

const storage = satchel.createMemorySessionStorage();
export = [session(storage), session.session(storage), session.loader(() => 1)];
`;

/** Runs the applications of express-session's README with another import, and prints what visitors see. */
const EXAMPLES = `
const { readFileSync } = require("node:fs");
const readme = readFileSync(require.resolve("express-session/README.md"), "utf8");
const [, examples] = readme.split("\\n## Examples\\n");
const [counter, login] = [...examples.matchAll(/\`\`\`js\\n([^]*?)\`\`\`/g)].map(([, code]) => code);

function serve(code) {
  const changed = code
    .replace("require('express-session')", "require('@satchel/session/middleware/express')")
    .replace(/session\\(\\{[^]*?\\}\\)/, "session(storage, { properties: true })")
    .replace("app.listen(3000)", "return app.listen(0, '127.0.0.1')");
  const storage = require("@satchel/session").createMemorySessionStorage();
  return new Function("require", "storage", changed)(require, storage);
}

async function visit(code, requests) {
  const server = serve(code);
  await new Promise((resolve) => server.on("listening", resolve));
  let cookie = "";
  const ids = new Set();
  const seen = [];
  for (const [path, init] of requests) {
    const headers = cookie ? { cookie } : {};
    const response = await fetch("http://127.0.0.1:" + server.address().port + path, { redirect: "manual", headers, ...init });
    const [setCookie] = response.headers.getSetCookie();
    if (setCookie) ids.add(cookie = setCookie.split(";")[0]);
    seen.push((await response.text()).replace(/<.*/, ""));
  }
  server.close();
  return [...seen, ids.size];
}

(async () => {
  const form = { method: "POST", body: new URLSearchParams({ user: "ann", pass: "x" }) };
  console.log(JSON.stringify([
    await visit(counter, [["/foo"], ["/bar"], ["/foo"]]),
    await visit(login, [["/"], ["/login", form], ["/"], ["/logout"], ["/"]]),
  ]));
})();
`;

/** What {@linkcode EXAMPLES} prints. The last entry is the number of cookies that a visitor got. */
const SEEN = [
  [
    "you viewed this page 1 times",
    "you viewed this page 1 times",
    "you viewed this page 2 times",
    1,
  ],
  [
    "",
    "Found. Redirecting to /",
    "hello, ann! ",
    "Found. Redirecting to /",
    "",
    2,
  ],
];
