/**
 * Two instances over one engine, and a visitor whose requests reach both.
 *
 * @module
 */
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial, TrialOpenOptions } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";

/** One of two instances. */
export type Instance = "one" | "two";

/** A visitor of two instances, with one browser. */
export class Pair {
  readonly namespace: string;
  readonly #t: Trial;
  readonly #storages: Readonly<Record<Instance, OpenStorage>>;
  readonly #visitors: Readonly<Record<Instance, Visitor>>;
  /** What the browser would send. */
  cookie: string | null = null;

  private constructor(
    t: Trial,
    storages: Record<Instance, OpenStorage>,
    visitors: Record<Instance, Visitor>,
  ) {
    this.#t = t;
    this.namespace = storages.one.namespace;
    this.#storages = storages;
    this.#visitors = visitors;
  }

  /** Opens two instances of a namespace. */
  static async open(
    t: Trial,
    namespace: string = t.namespace(),
    options: TrialOpenOptions = {},
  ): Promise<Pair> {
    const one = await t.open({ ...options, namespace });
    const two = await t.open({ ...options, namespace });
    return new Pair(t, { one, two }, {
      one: await t.visitor(one),
      two: await t.visitor(two),
    });
  }

  /** Begins a request at one of the instances. */
  async request(
    where: Instance,
    cookie: string | null = this.cookie,
  ): Promise<VisitorRequest> {
    const visitor = this.#visitors[where];
    visitor.cookie = this.cookie;
    return await visitor.request(cookie);
  }

  /** A whole request at one of the instances: read, work, save, and wait until the other can know of it. */
  async at(
    where: Instance,
    work: (request: VisitorRequest) => void,
    maxAge?: number,
  ): Promise<void> {
    const request = await this.request(where);
    work(request);
    await request.save(maxAge === undefined ? {} : { maxAge });
    this.cookie = this.#visitors[where].cookie;
    await this.#t.settle();
  }

  /** Closes one of the instances, as a process that exits does. */
  async pause(where: Instance): Promise<void> {
    await this.#storages[where].pause();
  }
}
