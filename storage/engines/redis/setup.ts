/**
 * Tells a faulty setup of the server from a failure: a single node of a cluster, or a server that evicts sessions.
 *
 * @module
 */
import { fromUtf8 } from "../../../core/bytes.ts";
import { isWorkerd } from "../../../core/runtime.ts";
import type { RedisSend } from "./client.ts";
import { isRedirect, oneNode } from "./replies.ts";

/**
 * Adds to a client that a faulty setup is named.
 *
 * @param onEvicting Receives the server's `maxmemory-policy` once, if it evicts sessions. The policy is asked for after
 * the first command that succeeds, and not again. Without `onEvicting`, it is not asked for.
 */
export function checkingSetup(
  send: RedisSend,
  onEvicting?: (policy: string) => void,
): RedisSend {
  // On Workers, each request has a client of its own, and would ask again.
  let asking = isWorkerd() ? undefined : onEvicting;
  return (key, args) => {
    const reply = send(key, args);
    // Each further promise would take as long as a part of the command.
    if (!asking) return reply.catch(nameRedirect);
    return reply.then((reply) => {
      if (asking) askPolicy(send, key, asking);
      asking = undefined;
      return reply;
    }, nameRedirect);
  };
}

function nameRedirect(error: unknown): never {
  throw isRedirect(error) ? oneNode(error) : error;
}

async function askPolicy(
  send: RedisSend,
  key: string,
  onEvicting: (policy: string) => void,
): Promise<void> {
  let reply: unknown;
  try {
    // Services that forbid CONFIG allow INFO.
    reply = await send(key, ["INFO", "memory"]);
  } catch {
    return;
  }
  const text = reply instanceof Uint8Array ? fromUtf8(reply) : reply;
  const [, policy] = /^maxmemory_policy:([\w-]+)/m.exec(String(text)) ?? [];
  if (policy !== undefined && policy !== "noeviction") onEvicting(policy);
}
