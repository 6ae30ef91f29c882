/**
 * Servers that do not work: one never answers, one sends invalid answers, one loses answers.
 *
 * @module
 */

/** A server of a test. */
export interface FaultyServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Accepts connections and data.
 *
 * @param answer The answer to each piece of data. Without it, the server never answers.
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
      // The client has closed the connection.
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

/** A relay to a server, which can lose answers. */
export interface LossyServer extends FaultyServer {
  /** How many connections it has accepted. */
  readonly accepted: number;
  /** Leads new connections to another server. The open ones stay. */
  leadTo(port: number): void;
  /** Closes the connection instead of passing on the `count`th answer from now. */
  loseAnswer(count: number): void;
}

/** Passes everything on to the server at `port`, and its answers back. */
export function startLossy(port: number): LossyServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let answers = Infinity;
  let accepted = 0;
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
      accepted++;
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      open.add(client).add(server);
      pass(client, server, false);
      pass(server, client, true);
    }
  })();
  return {
    port: listener.addr.port,
    get accepted() {
      return accepted;
    },
    leadTo: (other) => port = other,
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

/** Bytes that are neither text nor the beginning of an answer in any protocol. */
export const GARBAGE: Uint8Array<ArrayBuffer> = Uint8Array.from(
  [0, 255, 254, 13, 10, 7, 13, 10, 123, 0, 13, 10],
);
