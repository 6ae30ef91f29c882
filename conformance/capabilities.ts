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
  idle: "a session expires after `idleTimeout`",
  maxAge: "a session expires after the `maxAge` of its commit",
  expiry: "`idle` and `maxAge`",
  touch: "reading a session renews `idleTimeout`",
  absolute: "a session expires after `absoluteTimeout`, used or not",
  lifetime:
    "without a timeout, a session expires after the `maxAge` of its cookie",
  sweep: "`sweep()` removes expired records and nothing else",
  merge: "parallel requests that change different keys both keep their changes",
  owners: "`listSessions` and `destroySessions` find the sessions of one owner",
  selfContained: "the whole session is in the cookie",
  inspect: "`open` returns hooks that read and replace stored bytes",
  faults: "`open` returns hooks that make the engine fail",
} as const;

/** A capability. Claimed capabilities are tested; the suite does not ask for others. */
export type Capability = keyof typeof CAPABILITIES;

/** A capability that rules name: `expiry` is only short for two of them. */
export type Claim = Exclude<Capability, "expiry">;

const CLAIMS = (Object.keys(CAPABILITIES) as Capability[])
  .filter((capability) => capability !== "expiry");

/** What a target claims, in the order of the catalogue. */
export function claimsOf(
  { capabilities }: { readonly capabilities: readonly Capability[] },
): readonly Claim[] {
  const timed = capabilities.includes("expiry");
  return CLAIMS.filter((claim) =>
    capabilities.includes(claim) ||
    timed && (claim === "idle" || claim === "maxAge")
  );
}
