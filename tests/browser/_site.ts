/**
 * A web site that is not the shop.
 *
 * @module
 */

/** A site that serves one page for every request. */
export interface Site extends AsyncDisposable {
  /** Its address, under a host name. */
  at(host: string): string;
}

/** Opens a site. */
export function openSite(body: string, headers: HeadersInit = {}): Site {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => {
      const response = new Response(body, { headers });
      response.headers.set("Content-Type", "text/html; charset=utf-8");
      return response;
    },
  );
  return {
    at: (host) => `http://${host}:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
