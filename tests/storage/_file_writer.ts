/** A process that writes, for the tests of file sessions: `_file_writer.ts <what> <dir> <key or id> <name> <times>`. */
// deno-lint-ignore-file no-console -- a command
import { createFileSessionStorage } from "@satchel/session";
import { FileEngine } from "../../storage/engines/file/engine.ts";

const [what, dir = "", at = "", name = "", times = ""] = Deno.args;
const engine = new FileEngine(dir, Date.now, (error) => {
  throw error;
});
const expires = Date.now() + 3_600_000;

/** Adds one to a number, `times` times. Each write requires the version that it read. */
async function count(): Promise<void> {
  for (let done = 0; done < Number(times);) {
    const record = await engine.read(at);
    const value = String(Number(record?.value ?? 0) + 1);
    const ifVersion = record?.version ?? null;
    if (await engine.write(at, value, { expires, ifVersion })) done++;
  }
}

/** Sets its own keys in a session that other processes also change, and sweeps meanwhile. */
async function keys(): Promise<void> {
  const storage = createFileSessionStorage({ dir });
  for (let i = 0; i < Number(times); i++) {
    const session = await storage.read(at);
    session.set(`${name}${i}`, i);
    await storage.save(session);
    if (i % 5 === 0) await storage.sweep?.();
  }
}

/** Creates, replaces and deletes one record, until it is killed. */
async function churn(): Promise<void> {
  for (let i = Number(times);; i++) {
    const value = `${i}:${"x".repeat(20_000)}:${i}`;
    await engine.write(at, value, { expires });
    console.log("written");
    if (i % 7 === 0) await engine.delete(at);
  }
}

/** Sweeps in passing, without rests, until it is killed. Its clock begins at an instant, the key. */
async function sweep(): Promise<void> {
  let now = Number(at);
  let rests = 0;
  const sweeper = new FileEngine(dir, () => now, console.error, undefined, {
    elapsed: () => 0,
    later(_, work) {
      if (rests++ >= Number(times)) console.log("swept");
      setTimeout(work);
      return true;
    },
  });
  for (;; now += 600_000) {
    await sweeper.write("z".repeat(43), "", { expires: Infinity });
    await new Promise((resolve) => setTimeout(resolve));
  }
}

const jobs: Record<string, () => Promise<void>> = {
  count,
  keys,
  churn,
  sweep,
};
await jobs[what ?? ""]?.();
