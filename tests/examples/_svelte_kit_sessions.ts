/**
 * The move from svelte-kit-sessions, and back. Its package exports nothing without a condition of its own:
 * `deno run -A --conditions=svelte tests/examples/_svelte_kit_sessions.ts`
 */
import { loadKit } from "../../conformance/reports/reproductions/shared/svelte_kit.ts";
import {
  svelteKitCookie,
  svelteKitSessions,
  type SvelteKitStore,
} from "../../examples/moving/svelte_kit_sessions.ts";
import { createSessionStorage } from "../../mod.ts";
import {
  assertGoesBack,
  assertMoves,
  assertReadsNothingForged,
} from "./_moving_back.ts";
import type { OldApplication } from "./_old_applications.ts";

const { MemoryStore, sveltekitSessionHandle, newEvent } = await loadKit(
  "npm:svelte-kit-sessions@0.4.0",
);
// Its characters are not all ASCII: the library signs with the low byte of each.
const secret = "an old sécret, €";
const store = new MemoryStore();
const handle = sveltekitSessionHandle({
  secret,
  store,
  cookie: { maxAge: 900 },
});

const application: OldApplication = {
  name: "svelte-kit-sessions",
  sessions: createSessionStorage({
    cookie: svelteKitCookie("connect.sid", [secret], { maxAge: 900 }),
    ...svelteKitSessions(store as SvelteKitStore, { maxAge: 900 }),
  }),
  async visit(cookie, values) {
    const event = newEvent(cookie);
    let data = {};
    await handle({
      event,
      async resolve({ locals: { session } }) {
        data = session?.data;
        if (values) {
          await session?.setData({ ...data, ...values });
          await session?.save();
        }
        return new Response();
      },
    });
    return { data, cookie: event.cookies.take().split(";")[0] || cookie };
  },
};

await assertGoesBack(application);
await assertMoves(application);
await assertReadsNothingForged(application);
