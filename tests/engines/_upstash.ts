/**
 * Upstash's REST API in front of a Redis on this machine.
 *
 * @module
 */
import { Redis as IoRedis } from "npm:ioredis@^6.0.0";

/** A running front. */
export interface LocalUpstash {
  readonly url: string;
  readonly token: string;
  readonly port: number;
  /** The commands that were asked for, by name. */
  readonly asked: string[];
  stop(): Promise<void>;
}

type Command = [name: string, ...args: unknown[]];

const TOKEN = "t0ken";

/** Starts the front of the Redis on a port. */
export function startUpstash(redisPort: number): LocalUpstash {
  const redis = new IoRedis(redisPort, "127.0.0.1");
  const asked: string[] = [];
  const run = async ([name, ...args]: Command) => {
    asked.push(name.toUpperCase());
    try {
      return { result: await redis.call(name, ...args.map(String)) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const headers = { "upstash-sync-token": `${asked.length}` };
      if (request.headers.get("authorization") !== `Bearer ${TOKEN}`) {
        const error = "WRONGPASS invalid or missing auth token";
        return Response.json({ error }, { status: 401, headers });
      }
      const encode = request.headers.get("upstash-encoding") === "base64"
        ? encoded
        : (reply: object) => reply;
      const body: unknown = await request.json();
      if (new URL(request.url).pathname === "/pipeline") {
        const replies = [];
        for (const command of body as Command[]) {
          replies.push(encode(await run(command)));
        }
        return Response.json(replies, { headers });
      }
      const reply = await run(body as Command);
      const status = "error" in reply ? 400 : 200;
      return Response.json(encode(reply), { status, headers });
    },
  );
  const { port } = server.addr;
  return {
    ...{ port, token: TOKEN, url: `http://127.0.0.1:${port}`, asked },
    async stop() {
      redis.disconnect();
      await server.shutdown();
    },
  };
}

/** As the header `Upstash-Encoding: base64` asks for: each text of a result, but a status. */
function encoded(reply: { result?: unknown; error?: string }): object {
  const text = (value: unknown): unknown =>
    typeof value === "string"
      ? new TextEncoder().encode(value).toBase64()
      : Array.isArray(value)
      ? value.map(text)
      : value;
  const { result } = reply;
  return "error" in reply || result === "OK" ? reply : { result: text(result) };
}
