/**
 * What the library says where a storage cannot work: at once, and with what to do instead.
 *
 * @module
 */
import { assert, assertThrows } from "@std/assert";
import type { TestFunction } from "../../conformance/mod.ts";
import {
  createDenoKvSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createRedisSessionStorage,
  SessionError,
} from "../../mod.ts";
import { type RowName, ROWS, type Runtime } from "./matrix.ts";

/** Storages that see from the start that their platform lacks what they need. */
const REFUSING: Partial<Record<RowName, [() => unknown, RegExp]>> = {
  file: [
    () => createFileSessionStorage({ dir: "/tmp" }),
    /does not have node:fs/,
  ],
  denoKv: [() => createDenoKvSessionStorage(), /does not have Deno KV/],
  memcachedUrl: [
    () => createMemcacheSessionStorage({ url: "localhost" }),
    /does not have node:net/,
  ],
};

/** Registers a test for each storage that refuses to be made on a runtime. */
export function registerRefusals(test: TestFunction, runtime: Runtime): void {
  for (const [name, refusing] of Object.entries(REFUSING)) {
    const row = ROWS[name as RowName];
    const works: readonly Runtime[] = row.on;
    // With Node compatibility a Worker has a file system, which lives as long as the request does.
    if (works.includes(runtime) && !needsClient(name, runtime)) continue;
    if (name === "file" && runtime === "workersNode") continue;
    const [make, message] = refusing;
    test(`refusals: ${row.title}`, async () => {
      const error = assertThrows(make);
      assert(error instanceof TypeError && message.test(error.message));
    });
  }
  if (!runtime.startsWith("workers")) return;
  test(`refusals: ${ROWS.redisUrl.title}`, async () => {
    const storage = createRedisSessionStorage({ url: "redis://localhost" });
    const session = await storage.read(null);
    session.set("a", 1);
    const error = await storage.save(session).catch((error) => error);
    assert(error instanceof SessionError && error.code === "store-failed");
    assert(String(error.cause).includes("pass your own client"));
  });
}

/** Deno KV by itself is Deno's; elsewhere a database is passed. */
function needsClient(name: string, runtime: Runtime): boolean {
  return name === "denoKv" && runtime !== "deno";
}
