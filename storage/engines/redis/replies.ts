/**
 * What a server's error replies mean.
 *
 * @module
 */

/**
 * Whether an error is a reply of the server, such as `WRONGTYPE Operation against a key …`.
 *
 * @param code What the reply begins with. Optional.
 */
export function isReply(error: unknown, code?: string): boolean {
  if (!(error instanceof Error)) return false;
  return code === undefined
    ? /^[A-Z]+ /.test(error.message)
    : error.message.startsWith(code);
}

// Before version 7, the reply of a script contains the reply of its command.
const UNFIT =
  /^(?:ERR Error running script .*: -)?(?:READONLY|MASTERDOWN|NOREPLICAS|LOADING|CLUSTERDOWN|TRYAGAIN) /;

/**
 * Whether a reply says that this server does not serve sessions now: it is no longer the master, or not yet ready. Its
 * other replies may be out of date, and a new connection to the same address can lead to another server.
 */
export function isUnfit(error: unknown): boolean {
  return error instanceof Error && UNFIT.test(error.message);
}

/** Whether a reply says that another node of a cluster has the key. */
export function isRedirect(error: unknown): boolean {
  return isReply(error, "MOVED ") || isReply(error, "ASK ");
}

/** The error of a connection to one node of a cluster. */
export function oneNode(cause?: unknown): Error {
  return new Error(
    "this is one node of a cluster of Redis, which has only a part of the sessions; pass a client of the whole cluster: createCluster({ rootNodes: [{ url }] }) of node-redis, or new Cluster([{ host, port }]) of ioredis",
    { cause },
  );
}
