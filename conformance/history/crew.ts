/**
 * The processes of a history, as seen from the one that starts and kills them.
 *
 * @module
 */
import { compareClocks, type Difference } from "./clock.ts";
import { OtherProcess } from "./talk.ts";
import type { Kill } from "./kill.ts";
import type { Line } from "./log.ts";
import { type Errand, type Order, WORKER } from "./worker.ts";
import type { Ticket } from "./work.ts";

/** What a crew has to know. */
export interface CrewOptions {
  /** What each process has to know, by its name. */
  readonly errand: (name: string) => Errand;
  readonly names: readonly string[];
  readonly clock: () => number;
  readonly execArgv?: readonly string[] | undefined;
  /** Waits until a new process sees a session, or throws. */
  readonly greet: (see: (ticket: Ticket) => Promise<boolean>) => Promise<void>;
}

/** What a process has reported. */
export interface Reported extends Difference {
  readonly name: string;
  readonly lines: readonly Line[];
  readonly killed: boolean;
}

/** What the process in a seat is to do in a round. */
export interface Share {
  /** Sessions that no other process changes. */
  readonly own: readonly number[];
  readonly shared: readonly number[];
  readonly kill?: Kill | undefined;
}

/** One process at a time. */
interface Member {
  readonly process: OtherProcess;
  readonly lines: Line[];
  difference: Difference;
}

/** Some processes, each in its seat: another takes the seat of one that was killed. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #names: string[];
  readonly #seats: Member[] = [];
  readonly #all: Member[] = [];

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#names = [...options.names];
  }

  /** Starts processes. */
  async start(count: number): Promise<void> {
    const seats = Array.from({ length: count }, (_, seat) => seat);
    await Promise.all(seats.map((seat) => this.#fill(seat)));
  }

  /** Lets each process create sessions. */
  async create(sessions: readonly number[]): Promise<void> {
    const { length } = this.#seats;
    await Promise.all(this.#seats.map((member, seat) => {
      const own = sessions.filter((_, i) => i % length === seat);
      return ask(member, { do: "create", sessions: own });
    }));
  }

  /** Lets all processes work until they have done their share, or are killed: then another does the share. */
  async work(share: (seat: number) => Share): Promise<void> {
    const run = async (seat: number, { own, shared, kill }: Share) => {
      const member = this.#seats[seat];
      if (!member) return;
      const sessions = [...own, ...shared];
      try {
        return void await ask(member, { do: "work", sessions, kill });
      } catch (error) {
        if (!member.process.killed) throw error;
      }
      await member.process.end();
      await this.#fill(seat);
      await run(seat, { own: [], shared });
    };
    await Promise.all(this.#seats.map((_, seat) => run(seat, share(seat))));
  }

  /** Tells all processes to end their work soon. */
  stop(): void {
    for (const { process } of this.#seats) process.tell({ do: "stop" });
  }

  /** Closes the storage of each process. */
  async close(): Promise<void> {
    await Promise.all(this.#seats.map((each) => ask(each, { do: "close" })));
  }

  /** Ends all processes. */
  async end(): Promise<void> {
    await Promise.all(this.#all.map(({ process }) => process.end()));
  }

  /** What all processes have reported so far. */
  reported(): Reported[] {
    return this.#all.map(({ process, lines, difference }) => ({
      ...{ name: process.name, lines, ...difference },
      killed: process.killed,
    }));
  }

  async #fill(seat: number): Promise<void> {
    const name = this.#names.shift();
    if (name === undefined) throw new TypeError("there is no name left");
    const { errand, clock, greet, execArgv } = this.#options;
    const lines: Line[] = [];
    const process = new OtherProcess({
      ...{ name, module: WORKER, execArgv },
      onReport: (line) => lines.push(line as Line),
    });
    const difference = { offset: 0, error: 0 };
    const member: Member = { process, lines, difference };
    this.#all.push(member);
    await ask(member, { do: "open", errand: errand(name) });
    await greet(async (ticket) =>
      await ask(member, { do: "see", ticket }) === true
    );
    member.difference = await compareClocks(
      () => ask(member, { do: "clock" }),
      clock,
    );
    this.#seats[seat] = member;
  }
}

function ask({ process }: Member, order: Order): Promise<unknown> {
  return process.ask(order);
}
