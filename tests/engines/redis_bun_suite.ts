/**
 * The suite on Redis by Bun's own client, for `bun:test`. Bundled, because only Deno resolves `jsr:`.
 */
import { conformance, type TestFunction } from "../../conformance/mod.ts";
import { RedisBackend } from "../../storage/_redis_backend.ts";
import { type BunRedisLike, sendBy } from "../../storage/_redis_client.ts";
import { engineTarget } from "../conformance/targets.ts";

declare const Bun: {
  RedisClient: new (url: string) => BunRedisLike & { close(): void };
};
declare const process: { env: Record<string, string> };

/** Registers the suite. */
export function register(test: TestFunction): void {
  const client = new Bun.RedisClient(process.env["REDIS_URL"] ?? "");
  const send = sendBy(client);
  const connect = ({ namespace, now }: { namespace: string; now(): number }) =>
    new RedisBackend(send, namespace, now);
  conformance(test, engineTarget("Redis, Bun", connect, ["durable"]));

  test("what another program put there, and a forgotten script, by Bun's client", async () => {
    const engine = new RedisBackend(send, "foreign:", Date.now);
    const expires = Date.now() + 60_000;
    await client.send("SET", ["foreign:a", "text"]);
    await client.send("SCRIPT", ["FLUSH", "SYNC"]);
    const found = await engine.read("a");
    const ifVersion = found?.version;
    const written = await engine.write("a", "new", { expires, ifVersion });
    const { value, version } = await engine.read("a") ?? {};
    if (found?.value !== "" || value !== "new" || version !== written) {
      throw new Error("it was not replaced");
    }
  });
  test("Bun's client is closed", async () => client.close());
}
