/**
 * A network between one browser and a server, in virtual time: what waits does so in a queue of instants, and the clock
 * jumps from one to the next. A seed determines every delay.
 */
import { setImmediate } from "node:timers";
import { Random } from "../../conformance/trial/random.ts";
import type { Engine } from "../../storage/contract.ts";

/** Instants are multiples of so many milliseconds, so that requests meet. */
const GRAIN = 5;

/** The clock, and what waits for it. */
export class Network {
  /** The time, in milliseconds. */
  now: number;
  random: Random = new Random(0);
  readonly #virtual: boolean;
  #waiting: { at: number; go: () => void }[] = [];
  /** Tasks that do not wait for the clock. */
  #running = 0;
  #idle: () => void = () => {};

  /** @param virtual Whether all calls are virtual. Otherwise the clock also waits for real answers of an engine. */
  constructor(virtual: boolean, now: number = Date.UTC(2026, 0, 1)) {
    this.#virtual = virtual;
    this.now = now;
  }

  /** A whole number of milliseconds, at least `from` and at most `to`. */
  between(from: number, to: number): number {
    return from + this.random.int(to - from + 1);
  }

  chance(share: number): boolean {
    return this.random.next() < share;
  }

  /** Waits until the clock has moved by `ms`. */
  async sleep(ms: number): Promise<void> {
    const at = Math.ceil((this.now + ms) / GRAIN) * GRAIN;
    this.#leave();
    await new Promise<void>((go) => this.#waiting.push({ at, go }));
  }

  /** Runs tasks until all have ended and nothing waits. */
  async run(tasks: readonly (() => Promise<void>)[]): Promise<void> {
    this.#running += tasks.length;
    const all = tasks.map((task) => task().finally(() => this.#leave()));
    // A rejection is thrown below, when all have ended.
    for (const each of all) each.catch(() => {});
    await this.#settled();
    while (this.#waiting.length > 0) {
      const at = Math.min(...this.#waiting.map((each) => each.at));
      this.now = at;
      const next = this.#waiting.filter((each) => each.at === at);
      this.#waiting = this.#waiting.filter((each) => each.at !== at);
      this.#running += next.length;
      for (const { go } of this.random.shuffle(next)) go();
      await this.#settled();
    }
    await Promise.all(all);
  }

  /** An engine of one's own: each call takes so many milliseconds on the way there, and on the way back. */
  engine(engine: Engine, from = 1, to = 20): Engine {
    const far = async <T>(call: () => Promise<T>): Promise<T> => {
      await this.sleep(this.between(from, to));
      const answer = await call();
      await this.sleep(this.between(from, to));
      return answer;
    };
    const { move } = engine;
    return {
      // Without owned(), so that owners' sessions are kept in lists.
      guarantees: { ...engine.guarantees, evicts: "nothing" },
      read: (key) => far(() => engine.read(key)),
      write: (key, value, options) =>
        far(() => engine.write(key, value, options)),
      delete: (key, options) => far(() => engine.delete(key, options)),
      ...move ? { move: (...call) => far(() => move.apply(engine, call)) } : {},
    };
  }

  /** If all calls are virtual, makes short timers virtual too, and long ones, the limits of calls, endless. */
  takeTimers(): Disposable {
    const { setTimeout } = globalThis;
    if (!this.#virtual) return { [Symbol.dispose]() {} };
    const never = { ref() {}, unref() {} };
    globalThis.setTimeout = ((wake: () => void, ms = 0) => {
      // It does not leave its task, which waits for it.
      const at = Math.ceil((this.now + ms) / GRAIN) * GRAIN;
      const go = () => {
        this.#leave();
        wake();
      };
      if (ms < 1000) this.#waiting.push({ at, go });
      return never;
    }) as unknown as typeof setTimeout;
    return {
      [Symbol.dispose]: () => void (globalThis.setTimeout = setTimeout),
    };
  }

  #leave(): void {
    if (--this.#running === 0) this.#idle();
  }

  /** Resolves when every task waits or has ended. */
  async #settled(): Promise<void> {
    if (this.#virtual) {
      // A task that waits for another one's turn neither runs nor sleeps. So all microtasks run first.
      await new Promise<void>((go) => setImmediate(go));
    } else if (this.#running > 0) {
      await new Promise<void>((go) => this.#idle = go);
    }
  }
}

/** A request's handler. */
export type Server = (request: Request) => Promise<Response>;

/** An answer, as it arrived. */
export interface Arrived {
  readonly status: number;
  readonly text: string;
  /** Whether it sets the cookie. */
  readonly sets: boolean;
}

/** A browser with one cookie of the site. */
export class Browser {
  /** The cookie, as it is sent. */
  cookie: string | undefined;
  readonly #network: Network;
  readonly #server: Server;

  constructor(network: Network, server: Server) {
    this.#network = network;
    this.#server = server;
  }

  /**
   * Sends a request, and stores the cookie of its answer when that arrives.
   *
   * @param options `lost`: whether the answer is lost on the way.
   * @returns The answer; `undefined` if it was lost.
   */
  async send(
    path: string,
    { lost = false, ...init }: RequestInit & { lost?: boolean } = {},
  ): Promise<Arrived | undefined> {
    const network = this.#network;
    const headers = new Headers(init.headers);
    if (this.cookie !== undefined) headers.set("Cookie", this.cookie);
    const request = new Request(`http://localhost${path}`, {
      ...init,
      headers,
    });
    await network.sleep(network.between(1, 200));
    const response = await this.#server(request);
    const text = await response.text();
    await network.sleep(network.between(1, 200));
    if (lost) return undefined;
    const [setCookie] = response.headers.getSetCookie();
    if (setCookie !== undefined) this.#store(setCookie);
    return { status: response.status, text, sets: setCookie !== undefined };
  }

  #store(setCookie: string): void {
    const [pair = "", ...attributes] = setCookie.split("; ");
    const cleared = pair.endsWith("=") ||
      attributes.some((each) => /^(Max-Age=0|Expires=.* 1970 .*)$/.test(each));
    this.cookie = cleared ? undefined : pair;
  }
}
