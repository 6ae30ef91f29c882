/**
 * Memcached's text protocol on one socket, as far as sessions need it.
 *
 * https://github.com/memcached/memcached/blob/master/doc/protocol.txt
 *
 * @module
 */
import type * as NodeNet from "node:net";
import { fromUtf8 } from "../../../core/bytes.ts";
import type { CallTimeout } from "../../../core/call_timeout.ts";

/** An item, as a client of Memcached returns it. */
export interface MemcacheItem {
  /** The stored value: text, if this library stored it. */
  value: unknown;
  /** The item's version. */
  casUniq?: string | number | undefined;
}

/** A command without an answer yet. */
interface Pending {
  /** The key of the item that the command reads. Other commands do not have it. */
  readonly key?: string;
  item?: MemcacheItem;
  resolve(item: MemcacheItem | undefined): void;
  reject(error: Error): void;
}

/** Commands and answers on one socket, in the order of the commands. */
export class Connection {
  /** Whether the connection has ended. */
  lost = false;
  readonly #socket: NodeNet.Socket;
  readonly #timeout: CallTimeout;
  /** Rejects {@linkcode opened}. */
  #refuse: (error: Error) => void = () => {};
  #pending: Pending[] = [];
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** How many bytes the next answer takes at least. */
  #needed = 1;

  constructor(socket: NodeNet.Socket, timeout: CallTimeout) {
    this.#socket = socket;
    this.#timeout = timeout;
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.on("error", (error) => this.end(error));
    socket.on("close", () => this.end(closed()));
  }

  /** Resolves when the server has accepted the connection. */
  opened(): Promise<this> {
    return this.#run((resolve, reject) => {
      this.#refuse = reject;
      this.#socket.once("connect", () => resolve(this));
    });
  }

  send(text: string, key?: string): Promise<MemcacheItem | undefined> {
    return this.#run((resolve, reject) => {
      const pending = { resolve, reject };
      this.#pending.push(key === undefined ? pending : { ...pending, key });
      this.#socket.write(text);
    });
  }

  /** Ends the connection. Every command without an answer rejects with `error`. */
  end(error: Error): void {
    if (this.lost) return;
    this.lost = true;
    this.#socket.destroy();
    this.#refuse(error);
    for (const { reject } of this.#pending) reject(error);
    this.#pending = [];
  }

  #run<T>(
    work: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return this.#timeout.run(
      () => new Promise(work),
      // A late answer would be taken for the answer to the next command, so the connection ends.
      (error) => this.end(error),
    );
  }

  #receive(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.lost || this.#size < this.#needed) return;
    this.#needed = 1;
    let bytes = this.#chunks.length === 1 ? chunk : joined(this.#chunks);
    let used: number;
    while ((used = this.#answer(bytes)) > 0) bytes = bytes.subarray(used);
    this.#chunks = [bytes];
    this.#size = bytes.length;
  }

  /** Reads one line and the item after it. Returns how many bytes that took, or 0 if some are missing. */
  #answer(bytes: Uint8Array): number {
    const end = bytes.indexOf(10);
    if (end === -1) return 0;
    const line = fromUtf8(bytes.subarray(0, end)) ?? "";
    const [word, key, _flags, length = "", casUniq] = line.trimEnd().split(" ");
    const [pending] = this.#pending;
    if (
      word === "VALUE" && /^\d{1,10}$/.test(length) && pending &&
      pending.key === key
    ) {
      const from = end + 1;
      const to = from + Number(length);
      if (!(bytes.length >= to + 2)) {
        this.#needed = to + 2;
        return 0;
      }
      const value = fromUtf8(bytes.subarray(from, to));
      pending.item = { value, casUniq };
      return to + 2;
    }
    this.#settle(word, line.trimEnd());
    return this.lost ? 0 : end + 1;
  }

  #settle(word: string | undefined, line: string): void {
    const pending = this.#pending.shift();
    if (!pending) {
      return this.end(
        new Error("Memcached sent an answer that no command waits for"),
      );
    }
    const { key, item, resolve, reject } = pending;
    if (key !== undefined && word === "END") return resolve(item);
    if (key === undefined && (word === "STORED" || word === "DELETED")) {
      return resolve(undefined);
    }
    if (/^(EXISTS|NOT_FOUND|NOT_STORED|SERVER_ERROR)/.test(line)) {
      return reject(new Error(line));
    }
    // After any other answer, it is unknown which command the next line answers.
    const known = /^(CLIENT_ERROR|ERROR)/.test(line);
    const error = new Error(known ? line : "Memcached sent an invalid answer");
    reject(error);
    this.end(error);
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The error of commands whose connection was closed. */
export function closed(): Error {
  return new Error("the connection to Memcached was closed");
}
