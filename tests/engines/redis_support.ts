/**
 * Helpers for the tests of Redis: connections that close with their test and can read the stored records.
 *
 * @module
 */
import { createClient } from "npm:redis@^6.3.1";
import { hashId } from "../../core/keys.ts";
import { RedisEngine } from "../../storage/engines/redis/engine.ts";
import {
  type NodeRedisLike,
  type RedisSend,
  sendBy,
} from "../../storage/engines/redis/client.ts";
import type { Server } from "./_servers.ts";

/** The address of a server. */
export function urlOf({ port }: Pick<Server, "port">): string {
  return `redis://127.0.0.1:${port}`;
}

/** A connection that lists its commands. */
export interface Connection extends NodeRedisLike, AsyncDisposable {
  /** The names of the commands so far. */
  readonly sent: string[];
  readonly send: RedisSend;
  /** Sends a command and returns the reply, without adding it to `sent`. */
  ask(...args: string[]): Promise<unknown>;
}

/** Connects to a server. */
export async function connect(server: Server): Promise<Connection> {
  const client = createClient({ url: urlOf(server) });
  client.on("error", () => {});
  await client.connect();
  const sent: string[] = [];
  const counted: NodeRedisLike = {
    async sendCommand(args) {
      sent.push(args[0] ?? "");
      return await client.sendCommand(args);
    },
  };
  return {
    ...counted,
    sent,
    send: sendBy(counted),
    ask: (...args) => client.sendCommand(args),
    async [Symbol.asyncDispose]() {
      if (client.isReady) await client.close();
      else client.destroy();
    },
  };
}

/** An engine with a unique prefix. */
export function engineOf(
  send: RedisSend,
  now: () => number = Date.now,
): { engine: RedisEngine; prefix: string } {
  const prefix = `${crypto.randomUUID()}:`;
  return { engine: new RedisEngine(send, prefix, now), prefix };
}

/** A key, made as the core does. */
export function newKey(): string {
  return hashId(crypto.randomUUID());
}

/** An hour from now. */
export function soon(now: () => number = Date.now): number {
  return now() + 3_600_000;
}
