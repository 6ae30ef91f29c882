/** One process of a race: `_process.ts <errand as JSON>`. It says when it is ready, and begins when it is told to. */
import { type Errand, fileJar, fileLog } from "./_crew.ts";
import { openStorage } from "./_engines.ts";
import { clock } from "./_race.ts";
import { work } from "./_work.ts";

const { place, plan, dir } = JSON.parse(Deno.args[0] ?? "") as Errand;
let merges = 0;
const { storage, close } = await openStorage(place, {
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

await work(plan, {
  storage,
  jar: fileJar(dir),
  log: fileLog(dir, plan.name),
  clock,
  stopped: () => stopped,
});
await close();
await say(String(merges));
Deno.exit(0);

async function say(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}
