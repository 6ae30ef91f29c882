// The recipe for MongoDB fits the types of its driver. There is no server to run it on.
import { createSessionStorage, SessionError } from "@satchel/session";
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MongoClient } from "npm:mongodb@7.9.0";
import { MongoEngine } from "../../examples/mongodb.ts";
import { root } from "../../tools/project.ts";

Deno.test("examples/mongodb.ts is an engine that a storage takes, with owners", () => {
  const client = new MongoClient("mongodb://127.0.0.1:1/app");
  const storage = createSessionStorage<{ user: string }>({
    engine: new MongoEngine(client.db()),
    owner: ({ user }) => user,
  });
  const { compareAndSet, reads, revoke } = storage.guarantees;
  assertEquals([compareAndSet, reads, revoke], [true, "strong", true]);
});

Deno.test("examples/mongodb.ts fails with store-failed, when there is no server", async () => {
  const client = new MongoClient("mongodb://127.0.0.1:1/app", {
    serverSelectionTimeoutMS: 1,
  });
  const engine = new MongoEngine(client.db());
  const storage = createSessionStorage({ engine });
  const session = await storage.read(null);
  session.set("user", "ann");
  const { code } = await assertRejects(
    () => storage.save(session),
    SessionError,
  );
  assertEquals(code, "store-failed");
  await client.close();
});

Deno.test("docs/storages.md says that the recipe for MongoDB was not run", async () => {
  const text = await Deno.readTextFile(new URL("docs/storages.md", root));
  const [, recipe = ""] = text.split("\n### MongoDB\n");
  assertMatch(recipe.slice(0, 400), /\*\*not been\s+run\*\*/);
});
