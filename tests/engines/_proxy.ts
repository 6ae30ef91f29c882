/**
 * A line between a client and a server that can be made bad: refused, silent, or full of nonsense.
 *
 * @module
 */

/** What a line does with connections and with what comes over them. */
export type Line = "good" | "refused" | "silent" | "garbage";

/** A line to a server. */
export interface Proxy {
  readonly port: number;
  /** Ends all connections; from now on the line does as told. */
  turn(line: Line): void;
  close(): void;
}

/** Nonsense in every protocol. */
const NONSENSE = new TextEncoder().encode("\u0000?!\r\n$-7\r\nVALUE\r\n\r\n");

/** Opens a line to a server on this machine. */
export function openProxy(server: number): Proxy {
  let line: Line = "good";
  let listener = listen(0);
  const { port } = listener.addr;
  const sockets = new Set<Deno.Conn>();

  function listen(port: number): Deno.TcpListener {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    accept(listener).catch(() => {});
    return listener;
  }

  async function accept(listener: Deno.TcpListener): Promise<void> {
    for await (const client of listener) serve(client).catch(() => {});
  }

  async function serve(client: Deno.Conn): Promise<void> {
    sockets.add(client);
    const now = line;
    if (now === "good") {
      const upstream = await Deno.connect({
        hostname: "127.0.0.1",
        port: server,
      });
      sockets.add(upstream);
      await Promise.allSettled([
        client.readable.pipeTo(upstream.writable),
        upstream.readable.pipeTo(client.writable),
      ]);
      return;
    }
    for await (const _ of client.readable) {
      if (now === "garbage") await client.write(NONSENSE);
    }
  }

  function drop(): void {
    for (const socket of sockets) {
      try {
        socket.close();
      } catch {
        // Its other end was faster.
      }
    }
    sockets.clear();
  }

  return {
    port,
    turn(next) {
      const refused = line === "refused";
      line = next;
      if (next === "refused") listener.close();
      else if (refused) listener = listen(port);
      drop();
    },
    close() {
      if (line !== "refused") listener.close();
      drop();
    },
  };
}
