import type { Driver } from "./_driver.ts";
import { bunServe } from "./bun_serve.ts";
import { denoServe } from "./deno_serve.ts";
import { express } from "./express.ts";
import { hono } from "./hono.ts";
import { denoHttp, nodeHttp } from "./node_http.ts";
import { reactRouter } from "./react_router.ts";
import { remix } from "./remix.ts";

/** Every framework, in the order of the table. */
export const drivers: readonly Driver[] = [
  denoServe,
  bunServe,
  remix,
  reactRouter,
  hono,
  express,
  nodeHttp,
  denoHttp,
];
