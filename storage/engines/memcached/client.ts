/**
 * A client of Memcached: the five commands that sessions need, over one connection.
 *
 * @module
 */
import type * as NodeNet from "node:net";
import { utf8Length } from "../../../core/bytes.ts";
import { builtin } from "../../../core/runtime.ts";
import { closed, Connection, late, type MemcacheItem } from "./connection.ts";

/** The part of a client of Memcached that sessions need; that of npm's `memcache-client` has it. */
export interface MemcacheLike {
  /** Gives an item with its version, or `undefined`. */
  gets(key: string): Promise<MemcacheItem | undefined>;
  /** Stores an item if the version still holds; rejects with `EXISTS` or `NOT_FOUND` if not. */
  cas(
    key: string,
    value: string,
    options: { casUniq: string | number; lifetime: number },
  ): Promise<unknown>;
  /** Stores an item if there is none; rejects with `NOT_STORED` if there is. */
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
  /** Deletes an item; rejects with `NOT_FOUND` if there is none. */
  delete(key: string): Promise<unknown>;
}

const PATIENCE = 5_000;
const DEFAULT_PORT = 11211;
const ADDRESS =
  /^(?:memcached?:\/\/)?(\[[\da-f:.]+\]|[^\s:/@\[\]]+)(?::(\d{1,5}))?\/?$/i;

/** A connection that is opened by the first command, and again by the next one whenever it was lost. */
export class MemcachedClient implements MemcacheLike {
  readonly #net: typeof NodeNet;
  readonly #host: string;
  readonly #port: number;
  readonly #patience: number;
  #connection: Promise<Connection> | undefined;

  /**
   * @param url `localhost:11211`, `[::1]:11211` or `memcached://localhost`.
   * @param patience How long a server may take to accept a connection, or to answer a command, in milliseconds.
   * @throws {TypeError} If that is no address, or the platform has no sockets.
   */
  constructor(url: string, patience: number = PATIENCE) {
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
        "Cannot create storage: there is no node:net here (Deno, Bun and Node from 20.16 have it); pass a client",
      );
    }
    this.#net = net;
    this.#patience = patience;
    this.#host = host.replace(/^\[|\]$/g, "");
    this.#port = Number(port);
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

  /** Closes the connection; commands that are under way fail. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    (await connection?.catch(() => undefined))?.end(closed());
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
    let connection = await this.#connected();
    // Lost while nobody asked: no command is known to have reached the server.
    if (connection.lost) connection = await this.#connected();
    return await connection.send(text, key);
  }

  #connected(): Promise<Connection> {
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  #connect(): Promise<Connection> {
    const socket = this.#net.connect({ host: this.#host, port: this.#port });
    socket.setNoDelay(true);
    const connecting = new Promise<Connection>((resolve, reject) => {
      const connection = new Connection(socket, this.#patience, (error) => {
        clearTimeout(timer);
        if (this.#connection === connecting) this.#connection = undefined;
        reject(error);
      });
      const overdue = () => connection.end(late(this.#patience));
      const timer = setTimeout(overdue, this.#patience);
      socket.once("connect", () => {
        clearTimeout(timer);
        resolve(connection);
      });
    });
    return connecting;
  }
}
