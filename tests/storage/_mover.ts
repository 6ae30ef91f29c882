/** Another process for the tests of moving: `_mover.ts <old dir> <new dir> <key> <cookie header>…`, a visit for each. */
// deno-lint-ignore-file no-console -- a command
import {
  createFileSessionStorage,
  createReadThroughSessionStorage,
} from "@satchel/session";

const [from = "", to = "", key = "", ...headers] = Deno.args;
const cookie = { name: "session", secrets: ["s3cr3t"] };
const moving = createReadThroughSessionStorage({
  to: createFileSessionStorage({ dir: to, cookie }),
  from: createFileSessionStorage({ dir: from, cookie }),
});
console.log("ready");
await Deno.stdin.read(new Uint8Array(1));
for (const header of headers) {
  const session = await moving.getSession(header);
  session.set(key, true);
  await moving.commitSession(session);
  console.log(session.get("user"));
}
