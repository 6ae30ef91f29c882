/**
 * A client of Memcached: the five commands that sessions need, over one connection.
 *
 * @module
 */
import type * as NodeNet from "node:net";
import { utf8Length } from "../../../core/bytes.ts";
import { CallTimeout } from "../../../core/call_timeout.ts";
import { builtin } from "../../../core/runtime.ts";
import { Lazy } from "../lazy.ts";
import { closed, Connection, type MemcacheItem } from "./connection.ts";

/** The part of a Memcached client that sessions need. npm's `memcache-client` has it. */
export interface MemcacheLike {
  /** Returns an item with its version, or `undefined`. */
  gets(key: string): Promise<MemcacheItem | undefined>;
  /** Stores an item if its version is still the same; rejects with `EXISTS` or `NOT_FOUND` if not. */
  cas(
    key: string,
    value: string,
    options: { casUniq: string | number; lifetime: number },
  ): Promise<unknown>;
  /** Stores an item if the key does not exist; rejects with `NOT_STORED` if it does. */
  add(
    key: string,
    value: string,
    options: { lifetime: number },
  ): Promise<unknown>;
  /** Stores an item. */
  set(
    key: string,
    value: string,
    options: { lifetime: number },
  ): Promise<unknown>;
  /** Deletes an item; rejects with `NOT_FOUND` if the key does not exist. */
  delete(key: string): Promise<unknown>;
}

const TIMEOUT = 5_000;
const DEFAULT_PORT = 11211;
const ADDRESS =
  /^(?:memcached?:\/\/)?(\[[\da-f:.]+\]|[^\s:/@\[\]]+)(?::(\d{1,5}))?\/?$/i;

/** A connection that the first command opens. After a loss, the next command opens it again. */
export class MemcachedClient implements MemcacheLike {
  readonly #net: typeof NodeNet;
  readonly #host: string;
  readonly #port: number;
  readonly #timeout: CallTimeout;
  readonly #connection: Lazy<Connection> = new Lazy(() => this.#connect());

  /**
   * @param url `localhost:11211`, `[::1]:11211` or `memcached://localhost`.
   * @param timeout How long a server may take to accept a connection, or to answer a command, in milliseconds.
   * @throws {TypeError} If `url` is not an address, or the platform does not have sockets.
   */
  constructor(url: string, timeout: number = TIMEOUT) {
    const [, host = "", port = String(DEFAULT_PORT)] =
      ADDRESS.exec(String(url)) ?? [];
    if (!host || Number(port) < 1 || Number(port) > 65_535) {
      throw new TypeError(
        'Cannot create storage: url must be like "localhost:11211"',
      );
    }
    const net = builtin<typeof NodeNet>("node:net");
    if (!net) {
      throw new TypeError(
        "Cannot create storage: this runtime does not have node:net (Deno, Bun and Node 20.16 or later have it); pass a client instead of url",
      );
    }
    this.#net = net;
    this.#host = host.replace(/^\[|\]$/g, "");
    this.#port = Number(port);
    this.#timeout = new CallTimeout(
      timeout,
      `Memcached did not answer within ${timeout / 1000} s`,
    );
  }

  gets(key: string): Promise<MemcacheItem | undefined> {
    return this.#send(`gets ${key}\r\n`, key);
  }

  cas(
    key: string,
    value: string,
    { casUniq, lifetime }: { casUniq: string | number; lifetime: number },
  ): Promise<unknown> {
    return this.#store("cas", key, value, lifetime, ` ${casUniq}`);
  }

  add(
    key: string,
    value: string,
    { lifetime }: { lifetime: number },
  ): Promise<unknown> {
    return this.#store("add", key, value, lifetime);
  }

  set(
    key: string,
    value: string,
    { lifetime }: { lifetime: number },
  ): Promise<unknown> {
    return this.#store("set", key, value, lifetime);
  }

  delete(key: string): Promise<unknown> {
    return this.#send(`delete ${key}\r\n`);
  }

  /** Closes the connection. Commands that wait for an answer fail. */
  async close(): Promise<void> {
    const connection = await this.#connection.take()?.catch(() => undefined);
    connection?.end(closed());
  }

  #store(
    verb: string,
    key: string,
    value: string,
    lifetime: number,
    last = "",
  ): Promise<unknown> {
    const head = `${verb} ${key} 0 ${lifetime} ${utf8Length(value)}${last}`;
    return this.#send(`${head}\r\n${value}\r\n`);
  }

  async #send(text: string, key?: string): Promise<MemcacheItem | undefined> {
    let connection = await this.#connection.get();
    if (connection.lost) {
      // It was lost before this command was sent, so that another connection does not send it twice.
      this.#connection.forget(connection);
      connection = await this.#connection.get();
    }
    return await connection.send(text, key);
  }

  #connect(): Promise<Connection> {
    const socket = this.#net.connect({ host: this.#host, port: this.#port });
    socket.setNoDelay(true);
    // The timeout of a command keeps the process alive, until its answer.
    socket.unref();
    return new Connection(socket, this.#timeout).opened();
  }
}
