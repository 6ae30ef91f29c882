import type { Driver } from "./_driver.ts";
import { denoServe } from "./deno_serve.ts";
import { fresh } from "./fresh.ts";
import { h3 } from "./h3.ts";
import { hono } from "./hono.ts";
import { oak } from "./oak.ts";

/** Every framework, in the order of the table. */
export const drivers: readonly Driver[] = [
  denoServe,
  hono,
  oak,
  fresh,
  h3,
];
