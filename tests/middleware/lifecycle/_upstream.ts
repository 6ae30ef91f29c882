/**
 * Another server, whose answers an application passes on.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

/**
 * Serves "upstream" under `/plain` and, compressed, under `/gzip`, while `use` runs. `/held` answers after `open` was
 * called, and `/broken` with 503.
 */
export async function withUpstream(
  use: (origin: string, open: () => void) => Promise<void>,
): Promise<void> {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const server = createServer(async ({ url }, res) => {
    if (url === "/held") await opened;
    const packs = url === "/gzip";
    const body = packs ? gzipSync("upstream") : Buffer.from("upstream");
    res.writeHead(url === "/broken" ? 503 : 203, {
      "Content-Type": "text/plain",
      "Content-Length": body.length,
      ...(packs && { "Content-Encoding": "gzip" }),
      "Set-Cookie": ["up=1", "up=2"],
    });
    res.end(body);
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  try {
    await use(`http://127.0.0.1:${port}`, open);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
