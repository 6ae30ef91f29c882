/**
 * The headers for shared caches, such as a proxy or a CDN, of a response that carries a visitor's cookie.
 *
 * @module
 */

/** The headers that only shared caches read, and prefer to `Cache-Control` (RFC 9213). */
export const SHARED_CACHE_HEADERS: readonly string[] = [
  "CDN-Cache-Control",
  "Cloudflare-CDN-Cache-Control",
  "Netlify-CDN-Cache-Control",
  "Vercel-CDN-Cache-Control",
  "Surrogate-Control",
];

/** Directives that let a shared cache store a response, or that only shared caches read (RFC 9111, section 5.2.2). */
const SHARED = /^(public|s-maxage|proxy-revalidate|must-understand)\b/i;

/** `private="name"` protects one header only. */
const PRIVATE_HEADER = /^private\s*=/i;

/** Directives that forbid shared caches to store a response. */
const NOT_SHARED = /^(private|no-store)$/i;

/**
 * The `Cache-Control` of a response that carries a visitor's cookie. Shared caches must not store it, or they would send
 * the cookie to other visitors (RFC 9111, section 7.3). The directives for the visitor's own browser stay.
 *
 * @param value The handler's `Cache-Control`, if it set one.
 * @returns The value to send.
 */
export function privateCacheControl(value: string | null | undefined): string {
  // A quoted value may contain commas.
  const directives = (value?.match(/(?:[^,"]|"(?:\\.|[^"\\])*"?)+/g) ?? [])
    .map((directive) => directive.trim())
    .filter((directive) => directive !== "");
  if (directives.length === 0) return "private, no-store";
  // Without `must-understand`, every cache obeys `no-store`.
  const kept = directives.filter((directive) =>
    !SHARED.test(directive) && !PRIVATE_HEADER.test(directive)
  );
  const isPrivate = kept.some((directive) => NOT_SHARED.test(directive));
  return (isPrivate ? kept : ["private", ...kept]).join(", ");
}

/** Whether a `Vary` header already covers `Cookie`. */
export function variesByCookie(vary: string | null | undefined): boolean {
  return vary?.split(",").some((name) => /^\s*(\*|cookie)\s*$/i.test(name)) ??
    false;
}
