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

/** What a client of Memcached gives for a key. */
export interface MemcacheItem {
  /** What is stored; text, where this library has stored it. */
  value: unknown;
  /** The item's version. */
  casUniq?: string | number | undefined;
}

/** A command whose answer is due. */
interface Pending {
  /** The key whose item is asked for; nothing where a line is the answer. */
  readonly key?: string;
  item?: MemcacheItem;
  resolve(item: MemcacheItem | undefined): void;
  reject(error: Error): void;
}

/** Commands and answers on one socket, in the order of the commands. */
export class Connection {
  lost = false;
  readonly #socket: NodeNet.Socket;
  readonly #timeout: CallTimeout;
  #refuse: (error: Error) => void = () => {};
  #pending: Pending[] = [];
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** How many bytes there must be before it is worth looking at them. */
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
      // A late answer would be taken for the next one: the whole connection ends.
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

  /** Takes one line, and the item that it announces; gives the bytes that it has used, or 0 where more must come. */
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
    if (!pending) return this.end(new Error("Memcached spoke unasked"));
    const { key, item, resolve, reject } = pending;
    if (key !== undefined && word === "END") return resolve(item);
    if (key === undefined && (word === "STORED" || word === "DELETED")) {
      return resolve(undefined);
    }
    if (/^(EXISTS|NOT_FOUND|NOT_STORED|SERVER_ERROR)/.test(line)) {
      return reject(new Error(line));
    }
    // After anything else, it is not known what the next line answers.
    const known = /^(CLIENT_ERROR|ERROR)/.test(line);
    const error = new Error(known ? line : "Memcached answered nonsense");
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

/** What becomes of commands on a connection that ends. */
export function closed(): Error {
  return new Error("the connection to Memcached was closed");
}
