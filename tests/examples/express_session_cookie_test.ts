import { assertEquals } from "@std/assert";
import express from "npm:express@^5.1.0";
import expressSession from "npm:express-session@^1.18.0";
import {
  createMemorySessionStorage,
  createReadThroughSessionStorage,
  createSessionStorage,
} from "@satchel/session";
import type { AddressInfo } from "node:net";
import { expressSessionCookie } from "../../examples/express_session_cookie.ts";

Deno.test("a session of express-session moves, and its visitor stays signed in", async () => {
  const kept = new expressSession.MemoryStore();
  const app = express();
  app.use(expressSession({
    secret: ["new", "old"],
    store: kept,
    resave: false,
    saveUninitialized: false,
  }));
  type Handled = { request: { session: object }; response: { end(): void } };
  const signIn = (
    request: Handled["request"],
    response: Handled["response"],
  ) => {
    Object.assign(request.session, { userId: "ann" });
    response.end();
  };
  app.get("/", signIn);
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const headers: string[] = [];
  for (let i = 0; i < 20; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await response.body?.cancel();
    headers.push(response.headers.get("set-cookie")?.split(";")[0] ?? "");
  }
  await new Promise((resolve) => server.close(resolve));

  const sessions = createReadThroughSessionStorage({
    storage: createMemorySessionStorage({
      cookie: { name: "__session", secrets: ["s3cr3t"] },
    }),
    from: createSessionStorage({
      cookie: expressSessionCookie(["new", "old"]),
      readData: (id) =>
        new Promise((resolve, reject) =>
          kept.get(id, (error: unknown, found?: object | null) => {
            if (error) return reject(error);
            const { cookie: _, ...data } = { cookie: null, ...found };
            resolve(found ? data : null);
          })
        ),
      deleteData: (id) =>
        new Promise((resolve) => kept.destroy(id, () => resolve())),
      createData: () => Promise.reject(new Error("only moves")),
      updateData: () => Promise.reject(new Error("only moves")),
    }),
  });
  for (const header of headers) {
    for (const forged of [header.slice(0, -1), `${header}x`]) {
      assertEquals((await sessions.getSession(forged)).size, 0);
    }
    const session = await sessions.getSession(`a=b; ${header}`);
    assertEquals(session.data, { userId: "ann" });
    const setCookie = await sessions.commitSession(session, { renew: false });
    const own = setCookie.split(";")[0] ?? "";
    assertEquals((await sessions.getSession(own)).get("userId"), "ann");
  }
  const left = await new Promise((resolve) =>
    kept.all?.((_error: unknown, all: unknown) => resolve(all))
  );
  assertEquals(Object.keys(left as object), []);
});
