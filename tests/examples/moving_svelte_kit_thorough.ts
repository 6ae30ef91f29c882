// The move from svelte-kit-sessions. It downloads SvelteKit, which that package asks for.
import { assert } from "@std/assert";

Deno.test("svelteKitCookie() and svelteKitSessions() move the sessions of svelte-kit-sessions, and back", async () => {
  const script = new URL("_svelte_kit_sessions.ts", import.meta.url);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--conditions=svelte", script.pathname],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
