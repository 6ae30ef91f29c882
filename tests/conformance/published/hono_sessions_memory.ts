/** hono-sessions with its MemoryStore. */
import { MemoryStore } from "npm:hono-sessions@0.8.1";
import type { Target } from "../../../conformance/mod.ts";
import { dateClock } from "./_clock.ts";
import { opened } from "./_hono_sessions.ts";

const target: Target = {
  name: "hono-sessions memory",
  clock: dateClock,
  capabilities: ["revoke", "idle", "touch"],
  open: (options) => opened(new MemoryStore(), options),
};
export default target;
