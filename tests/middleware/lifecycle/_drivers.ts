import type { Driver } from "./_driver.ts";
import { bunServe } from "./bun_serve.ts";
import { denoServe } from "./deno_serve.ts";
import { fresh } from "./fresh.ts";
import { h3 } from "./h3.ts";
import { hono } from "./hono.ts";
import { oak } from "./oak.ts";
import { workers } from "./workers.ts";
import { reactRouter } from "./react_router.ts";
import { remix } from "./remix.ts";

/** Every framework, in the order of the table. */
export const drivers: readonly Driver[] = [
  denoServe,
  bunServe,
  workers,
  remix,
  reactRouter,
  hono,
  oak,
  fresh,
  h3,
];
