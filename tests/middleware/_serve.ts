/**
 * A server of `node:http` for as long as a test takes.
 *
 * @module
 */
import { createServer, type RequestListener } from "node:http";
import { App } from "./lifecycle/_app.ts";
import { Client } from "./lifecycle/_client.ts";
import { listen } from "./lifecycle/_node.ts";

/** Serves a listener, an application of Express for one, for as long as `use` takes. */
export async function serving(
  listener: RequestListener,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const served = await listen(new App(), createServer(listener));
  try {
    await use(new Client(served.origin));
  } finally {
    await served.stop();
  }
}
