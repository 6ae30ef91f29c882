/**
 * Keeps caches from giving one visitor's cookie to another (RFC 9111, section 7.3).
 *
 * @module
 */

/** Directives that let shared caches store an answer. */
const SHARED =
  /^(public|s-maxage|proxy-revalidate|must-understand)(\s*=|\s*$)/i;

/** Directives that keep shared caches from storing an answer. */
const PRIVATE = /^(private|no-store)\s*$/i;

/** Headers with which an answer talks to shared caches alone. They win over `Cache-Control`. */
export const SHARED_CACHE_HEADERS = [
  "CDN-Cache-Control",
  "Cloudflare-CDN-Cache-Control",
  "Netlify-CDN-Cache-Control",
  "Surrogate-Control",
  "Vercel-CDN-Cache-Control",
] as const;

/** The `Cache-Control` of an answer with a session's cookie: what the handler said, but not for shared caches. */
export function privateCacheControl(value: string | null | undefined): string {
  if (!value?.trim()) return "private, no-store";
  const kept = value.split(",").map((part) => part.trim())
    .filter((part) => part !== "" && !SHARED.test(part));
  return kept.some((part) => PRIVATE.test(part))
    ? kept.join(", ")
    : ["private", ...kept.filter((part) => !/^private\b/i.test(part))].join(
      ", ",
    );
}

/** Whether a `Vary` header already covers `Cookie`. */
export function variesByCookie(vary: string | null | undefined): boolean {
  return vary?.split(",").some((name) => /^\s*(\*|cookie)\s*$/i.test(name)) ??
    false;
}
