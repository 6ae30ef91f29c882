/**
 * Measures servers: each library in a process of its own, all of them running, one asked at a time, in turns.
 *
 * The client is this process. It keeps its connections, sends the next request of a connection when the answer of the
 * last one is there, and keeps visitors' cookies as browsers do.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { median, undisturbed } from "./measure.ts";
import { OURS } from "./peers.ts";
import { command, type Runtime } from "./prepare.ts";
import { cookieAfter, type Kind } from "./visit.ts";

/** The servers, by the library and where it keeps sessions. */
export const SERVERS: readonly (readonly [name: string, kind: Kind | ""])[] = [
  ["bare", ""],
  ["floor, WebAssembly", "signed"],
  [OURS, "signed"],
  ["react-router", "signed"],
  ["@remix-run/session", "signed"],
  ["@remix-run/node", "signed"],
  ["cookie-session", "signed"],
  ["floor, AES-GCM", "sealed"],
  [OURS, "sealed"],
  ["iron-session", "sealed"],
  ["hono-sessions", "sealed"],
  ["@hono/session", "sealed"],
  ["h3", "sealed"],
  ["floor, a Map", "memory"],
  [OURS, "memory"],
  ["@remix-run/node", "memory"],
  ["express-session", "memory"],
];

const PATHS = ["/read", "/change"] as const;
const CONNECTIONS = 16;
const VISITORS = 200;

/** What a server was measured to do. */
export interface Served {
  readonly name: string;
  readonly kind: string;
  /** Resident memory after all requests, in MiB. */
  readonly memory: number;
  readonly paths: Readonly<Record<typeof PATHS[number], Load>>;
}

/** How a server answers one kind of requests. */
export interface Load {
  readonly perSecond: number;
  /** CPU time of the server's process, in µs a request. */
  readonly cpu: number;
  /** The 99th percentile of the time until the answer, in ms. */
  readonly p99: number;
}

/** What was measured in each turn, and how long each answer took, in ms. */
interface Turns {
  readonly perSecond: number[];
  readonly cpu: number[];
  readonly times: number[];
}

/** Options of {@linkcode measureServers}. */
export interface ServersOptions {
  readonly rounds: number;
  /** How long a server is asked in a round, in ms. */
  readonly turn?: number;
}

/** Measures every server on a runtime. */
export async function measureServers(
  on: Runtime,
  { rounds, turn = 150 }: ServersOptions,
): Promise<Served[]> {
  const servers: Server[] = [];
  try {
    for (const [name, kind] of SERVERS) {
      servers.push(await Server.start(on, name, kind));
    }
    for (let round = -1; round < rounds; round++) {
      for (const server of servers) {
        for (const path of PATHS) {
          // The first round warms up.
          await server.ask(path, round < 0 ? 6 * turn : turn, round >= 0);
        }
      }
    }
    return await Promise.all(servers.map((server) => server.result()));
  } finally {
    for (const server of servers) server.stop();
  }
}

class Server {
  readonly #process: Deno.ChildProcess;
  readonly #name: string;
  readonly #kind: string;
  readonly #connections: Connection[] = [];
  readonly #cookies: string[] = [];
  readonly #loads: Record<string, Turns> = Object.fromEntries(
    PATHS.map((path): [string, Turns] => [
      path,
      { perSecond: [], cpu: [], times: [] },
    ]),
  );
  #next = 0;

  private constructor(process: Deno.ChildProcess, name: string, kind: string) {
    this.#process = process;
    this.#name = name;
    this.#kind = kind;
  }

  /** Starts a server, and lets its visitors begin. */
  static async start(on: Runtime, name: string, kind: string): Promise<Server> {
    const process = (await command(on, "http_server", name, kind)).spawn();
    const server = new Server(process, name, kind);
    const reader = process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const { value } = await reader.read();
    const port = Number(value);
    if (!port) throw new Error(`Cannot start ${name} on ${on}`);
    for (let i = 0; i < CONNECTIONS; i++) {
      server.#connections.push(new Connection(port));
    }
    const [first] = server.#connections;
    if (first === undefined) throw new Error("Cannot connect");
    for (let visitor = 0; visitor < VISITORS; visitor++) {
      const { setCookie } = await first.send("/begin", "");
      server.#cookies.push(cookieAfter(setCookie));
    }
    // A server that loses its sessions would be fast.
    const { body } = await first.send("/read", server.#cookies[0] ?? "");
    if (!/^Hello (you|u_\d+)$/.test(body)) {
      throw new Error(`${name}, ${kind}, on ${on}: ${body}`);
    }
    return server;
  }

  /** Asks for a path, on every connection, until the time is up. */
  async ask(path: string, ms: number, counts: boolean): Promise<void> {
    const times: number[] = [];
    const before = await this.#usage();
    const begin = performance.now();
    const end = begin + ms;
    await Promise.all(this.#connections.map(async (connection) => {
      for (let now = performance.now(); now < end;) {
        const visitor = this.#next++ % VISITORS;
        const cookie = this.#cookies[visitor] ?? "";
        const { setCookie } = await connection.send(path, cookie);
        if (setCookie.length > 0) {
          this.#cookies[visitor] = cookieAfter(setCookie);
        }
        const then = performance.now();
        times.push(then - now);
        now = then;
      }
    }));
    const took = performance.now() - begin;
    const after = await this.#usage();
    const load = this.#loads[path];
    if (!counts || load === undefined) return;
    load.perSecond.push(times.length / took * 1000);
    load.cpu.push((after.cpu - before.cpu) / times.length);
    load.times.push(...times);
  }

  async #usage(): Promise<{ cpu: number; memory: number }> {
    const answer = await this.#connections[0]?.send("/usage", "");
    return JSON.parse(answer?.body ?? "");
  }

  async result(): Promise<Served> {
    const { memory } = await this.#usage();
    const paths = Object.entries(this.#loads).map(([path, load]) => {
      const sorted = load.times.sort((a, b) => a - b);
      const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? NaN;
      const perSecond = median(load.perSecond);
      return [path, { perSecond, cpu: undisturbed(load.cpu), p99 }];
    });
    return {
      name: this.#name,
      kind: this.#kind,
      memory: memory / 2 ** 20,
      paths: Object.fromEntries(paths),
    };
  }

  stop(): void {
    for (const connection of this.#connections) connection.close();
    this.#process.kill();
  }
}

/** What a server answered. */
interface HttpAnswer {
  readonly body: string;
  readonly setCookie: readonly string[];
}

/** How long an answer may take, in ms. */
const PATIENCE = 20_000;

/** A connection to a server, kept open. A server's answers must say how long they are. */
class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = "";
  #resolve: ((answer: HttpAnswer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async send(path: string, cookie: string): Promise<HttpAnswer> {
    // Servers hang up on connections that wait for their turn.
    const socket = this.#socket ??= await this.#connect();
    return await new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const header = cookie && `Cookie: ${cookie}\r\n`;
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${header}\r\n`);
    });
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#port, "127.0.0.1", () => resolve(socket));
      socket.setNoDelay(true);
      socket.setEncoding("latin1");
      socket.setTimeout(PATIENCE, () => socket.destroy());
      socket.on("data", (text: string) => this.#receive(text));
      socket.on("error", reject);
      socket.on("close", () => {
        this.#socket = undefined;
        this.#reject?.(new Error("The server hung up, or does not answer"));
      });
    });
  }

  #receive(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
    const body = this.#received.slice(end + 4);
    if (body.length < length) return;
    this.#received = "";
    const setCookie = [...head.matchAll(/^set-cookie: *(.*)$/gim)]
      .map(([, value = ""]) => value);
    if (head.startsWith("HTTP/1.1 200") && length > 0) {
      this.#resolve?.({ body, setCookie });
    } else this.#reject?.(new Error(head));
  }

  close(): void {
    this.#reject = undefined;
    this.#socket?.destroy();
  }
}
