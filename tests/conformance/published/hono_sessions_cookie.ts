/** hono-sessions with its CookieStore: its documentation promises encrypted cookies. */
import { CookieStore } from "npm:hono-sessions@0.8.1";
import type { Target } from "../../../conformance/mod.ts";
import { dateClock } from "./_clock.ts";
import { opened } from "./_hono_sessions.ts";

const target: Target = {
  name: "hono-sessions cookie",
  clock: dateClock,
  capabilities: ["selfContained", "shared", "durable", "idle", "touch"],
  limits: { recordBytes: 2000 },
  open: (options) => opened(new CookieStore(), options),
};
export default target;
