/** One process of a race: `_process.ts <errand as JSON>`. It says when it is ready, and begins when it is told to. */
import { type Errand, fileJar, fileLog, logOf } from "./_crew.ts";
import { crowd } from "./_crowd.ts";
import { openStorage } from "./_engines.ts";
import { clock } from "./_race.ts";
import { work } from "./_work.ts";

const { place, plan, dir } = JSON.parse(Deno.args[0] ?? "") as Errand;
let merges = 0;
const logins = "requests" in plan && plan.cookie === undefined;
const { storage, close } = await openStorage(place, {
  ...logins ? { owner: ({ user }) => user } : {},
  onEvent: ({ type }) => void (merges += type === "conflict" ? 1 : 0),
});
// Connects. Any id will do.
await storage.read("a".repeat(24));

let stopped = false;
const told = Deno.stdin.readable.getReader();
await say("ready");
await told.read();
// Whoever started this process is gone, or wants it to end.
told.read().then(() => stopped = true);

if ("requests" in plan) {
  const told = await crowd(storage, plan);
  await Deno.writeTextFile(logOf(dir, plan.name), JSON.stringify(told));
} else {
  await work(plan, {
    storage,
    jar: fileJar(dir),
    log: fileLog(dir, plan.name),
    clock,
    stopped: () => stopped,
  });
}
await close();
await say(String(merges));
Deno.exit(0);

async function say(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}
