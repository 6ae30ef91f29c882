/**
 * Servers that are there and of no use: one that says nothing, one that talks nonsense, one that loses answers.
 *
 * @module
 */

/** A server of a test. */
export interface FaultyServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Accepts connections and whatever is sent.
 *
 * @param answer What it says to each piece that it is sent; nothing, where left out.
 */
export function startFaulty(answer?: Uint8Array<ArrayBuffer>): FaultyServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  async function serve(connection: Deno.Conn): Promise<void> {
    open.add(connection);
    const buffer = new Uint8Array(4096);
    try {
      while (await connection.read(buffer) !== null) {
        if (answer) await connection.write(answer);
      }
    } catch {
      // The client was faster.
    }
    open.delete(connection);
    close(connection);
  }
  const serving = (async () => {
    for await (const connection of listener) serve(connection);
  })();
  return {
    port: listener.addr.port,
    async stop() {
      listener.close();
      for (const connection of open) close(connection);
      await serving.catch(() => {});
    },
  };
}

/** A way to a server on which answers can be lost. */
export interface LossyServer extends FaultyServer {
  /** Ends the connection instead of handing on the `count`th answer from now on. */
  loseAnswer(count: number): void;
}

/** Hands everything on to the server at `port` and back. */
export function startLossy(port: number): LossyServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let answers = Infinity;
  async function pass(from: Deno.Conn, to: Deno.Conn, isAnswer: boolean) {
    const buffer = new Uint8Array(65_536);
    try {
      for (let n; (n = await from.read(buffer)) !== null;) {
        if (isAnswer && --answers === 0) break;
        await to.write(buffer.subarray(0, n));
      }
    } catch {
      // One of the two ends was closed.
    }
    for (const end of [from, to]) {
      open.delete(end);
      close(end);
    }
  }
  const serving = (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      open.add(client).add(server);
      pass(client, server, false);
      pass(server, client, true);
    }
  })();
  return {
    port: listener.addr.port,
    loseAnswer: (count) => answers = count,
    async stop() {
      listener.close();
      for (const connection of open) close(connection);
      await serving.catch(() => {});
    },
  };
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed already.
  }
}

/** What no protocol allows: neither text nor the beginning of an answer. */
export const GARBAGE: Uint8Array<ArrayBuffer> = Uint8Array.from(
  [0, 255, 254, 13, 10, 7, 13, 10, 123, 0, 13, 10],
);
