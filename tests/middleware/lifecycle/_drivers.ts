import type { Driver } from "./_driver.ts";
import { denoServe } from "./deno_serve.ts";
import { hono } from "./hono.ts";
import { reactRouter } from "./react_router.ts";
import { remix } from "./remix.ts";

/** Every framework, in the order of the table. */
export const drivers: readonly Driver[] = [
  denoServe,
  remix,
  reactRouter,
  hono,
];
