/**
 * Sends commands through the client of Upstash, over HTTP.
 *
 * @module
 */
/** The part of the client of `@upstash/redis` and `@vercel/kv` that sessions need. */
export interface UpstashRedisLike {
  /** Writes a text. */
  set(
    key: string,
    value: string,
    options: { px: number; nx?: true },
  ): Promise<unknown>;
  /** Deletes a key. */
  del(key: string): Promise<unknown>;
  /** Runs a script. */
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
  /** Runs a script that the server knows. */
  evalsha(digest: string, keys: string[], args: string[]): Promise<unknown>;
}

/**
 * Reads a key. A `GET` would not do:
 *
 * - A database with read regions answers it from the nearest one, which lags behind. A script runs in the primary region.
 * - If the client's `signal` is aborted, each of its commands returns what can look like a missing key. This answer
 *   cannot be mistaken.
 */
const READ = `
local v = redis.call('GET', KEYS[1])
return {v and 1 or 0, v or ''}
`;

/** Not the text of a record. */
const FOREIGN = "!";

/**
 * Sends the commands of the engine. By default, the client decodes answers that are JSON. A record never is: it begins
 * with 40 characters that no JSON begins with. What another program wrote may be, and is no record then.
 */
export function sendToUpstash(
  client: UpstashRedisLike,
): (key: string, args: string[]) => Promise<unknown> {
  return (_key, args) => command(client, args).catch(withoutCommand);
}

async function command(
  client: UpstashRedisLike,
  [name, first = "", second = "", third = "", ...rest]: string[],
): Promise<unknown> {
  switch (name) {
    case "GET": {
      const reply = await client.eval(READ, [first], []);
      const [found, value] = Array.isArray(reply) ? reply : [];
      if (found === 0) return null;
      if (found !== 1) throw noAnswer();
      return typeof value === "string" ? value : FOREIGN;
    }
    case "SET": {
      const [px, nx] = rest;
      const reply = await client.set(first, second, {
        px: Number(px),
        ...nx === "NX" ? { nx: true } : {},
      });
      if (reply !== "OK" && nx !== "NX") throw noAnswer();
      return reply;
    }
    case "DEL": {
      const reply = await client.del(first);
      if (typeof reply !== "number") throw noAnswer();
      return reply;
    }
    case "EVAL":
      return await client.eval(first, [third], rest);
    case "EVALSHA":
      return await client.evalsha(first, [third], rest);
    default:
      throw new TypeError(`the client of Upstash is not asked for ${name}`);
  }
}

function noAnswer(): Error {
  return new TypeError(
    "the client of Upstash did not return the database's answer; if it was created with a signal, pass a function that returns a new one: signal: () => AbortSignal.timeout(5000)",
  );
}

/** Throws an error of the client again as the server's reply, without the command, which contains the session's values. */
function withoutCommand(error: unknown): never {
  if (!(error instanceof Error) || error.name !== "UpstashError") throw error;
  const [reply = ""] = error.message
    .replace(/^Command (?:\d+ \[ \w+ \] )?failed: /, "")
    .split(", command was: ");
  const unreadable = reply.startsWith("Unable to parse response body");
  throw new Error(unreadable ? "the answer of Upstash is not JSON" : reply);
}
