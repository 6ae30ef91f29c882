/** Targets that are wrong: nothing can be said about their storages. */
import process from "node:process";
import type { StorageLike, Target } from "../../../conformance/mod.ts";
import { takesOrders } from "../../../conformance/history/talk.ts";
import { fourFunctions } from "./_four_functions.ts";

/** A target, and what the report says. */
export interface Bad {
  readonly target: Target;
  readonly reason: RegExp;
  /** In seconds. */
  readonly deadline?: number;
}

/** Whether this is one of the processes that a test started. */
const isOther = takesOrders();

function bad(
  name: string,
  reason: RegExp,
  open: (directory: string) => StorageLike | Promise<StorageLike>,
  deadline?: number,
): Bad {
  return {
    reason,
    ...deadline === undefined ? {} : { deadline },
    target: {
      name,
      capabilities: ["shared", "durable"],
      open: async ({ directory = "." }) => ({
        storage: await open(directory),
      }),
    },
  };
}

type Commit = NonNullable<StorageLike["commitSession"]>;

/** A storage with another `commitSession` in processes that a test started. */
function broken(
  directory: string,
  commit: (sound: Commit) => Commit,
): StorageLike {
  const sound = fourFunctions(directory);
  const { commitSession } = sound;
  return isOther && commitSession
    ? { ...sound, commitSession: commit(commitSession) }
    : sound;
}

/** Every mistake. */
export const BAD: readonly Bad[] = [
  bad(
    "open() throws in another process",
    /^process p\d failed: Error: no permission for the folder$/,
    (directory) => {
      if (isOther) throw new Error("no permission for the folder");
      return fourFunctions(directory);
    },
  ),
  bad(
    "a process ends by itself",
    /^process p\d ended by itself \(exit code 3\): error: out of handles$/,
    (directory) => {
      if (isOther) {
        // deno-lint-ignore no-console -- the first line of its stderr
        console.error("error: out of handles\nmore");
        process.exit(3);
      }
      return fourFunctions(directory);
    },
  ),
  bad(
    "each process has a folder of its own",
    /^another process does not see a session .* directory that it receives/,
    () => fourFunctions(Deno.makeTempDirSync()),
    8,
  ),
  bad(
    "the storage never answers",
    /^the work of the processes took more than 6 s in all; /,
    (directory) =>
      broken(
        directory,
        () => () => new Promise(() => setInterval(() => {}, 1000)),
      ),
    6,
  ),
  bad(
    "half of the time is over before the processes have started",
    /^no round ended in time; raise the deadline, 6 s$/,
    async (directory) => {
      if (isOther) await new Promise((done) => setTimeout(done, 3100));
      return fourFunctions(directory);
    },
    6,
  ),
  bad(
    "no session can be stored",
    /^process p\d failed: Error: no such table$/,
    (directory) =>
      broken(directory, () => () => Promise.reject(new Error("no such table"))),
  ),
  bad(
    "no save is answered",
    /^no save of a process was answered: Error: the table is read-only$/,
    (directory) =>
      broken(directory, (commit) => async (session) => {
        // Without an id it is new.
        if (session.id === "") return await commit(session);
        throw new Error("the table is read-only");
      }),
  ),
];

const targets: readonly Target[] = BAD.map(({ target }) => target);

/** All of them, for processes that look for one by its name. */
export default targets;
