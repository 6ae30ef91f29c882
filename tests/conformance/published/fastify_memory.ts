/** The MemoryStore of @fastify/session, whose plugin checks a session's expiry. */
import fastifySession from "npm:@fastify/session@11.1.3";
import { fromExpressStore, type Target } from "../../../conformance/mod.ts";
import { dateClock, follow } from "./_clock.ts";

const target: Target = {
  name: "@fastify/session",
  clock: dateClock,
  capabilities: ["revoke", "expiry"],
  open: ({ idleTimeout, now }) => ({
    storage: fromExpressStore(new fastifySession.MemoryStore(), {
      maxAge: idleTimeout,
      middleware: "@fastify/session",
    }),
    close: follow(now),
  }),
};
export default target;
