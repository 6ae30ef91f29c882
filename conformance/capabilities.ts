/**
 * What a storage may claim to do.
 *
 * @module
 */

/** Every capability, and what a storage that claims it promises. */
export const CAPABILITIES = {
  revoke:
    "a cookie stops working as soon as its session is destroyed or has a new id",
  shared: "several instances over one engine see each other's sessions",
  durable: "sessions survive `close` and a new `open` of the same namespace",
  namespaces: "two namespaces over one engine never see each other's sessions",
  expiry: "a session expires after `idleTimeout`",
  touch: "reading a session renews `idleTimeout`",
  absolute: "a session expires after `absoluteTimeout`, used or not",
  sweep: "`sweep()` removes expired records and nothing else",
  merge: "parallel requests that change different keys both keep their changes",
  owners: "`listSessions` and `destroySessions` find the sessions of one owner",
  selfContained: "the whole session is in the cookie",
  inspect: "`open` returns hooks that read and replace stored bytes",
  faults: "`open` returns hooks that make the engine fail",
} as const;

/** A capability. Claimed capabilities are tested; the suite does not ask for others. */
export type Capability = keyof typeof CAPABILITIES;
