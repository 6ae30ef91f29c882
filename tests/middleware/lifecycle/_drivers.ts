import type { Driver } from "./_driver.ts";
import { astro, astro6 } from "./astro.ts";
import { bunServe } from "./bun_serve.ts";
import { denoServe } from "./deno_serve.ts";
import { elysia, elysiaNode } from "./elysia.ts";
import { express, express4 } from "./express.ts";
import { fastify, fastify4 } from "./fastify.ts";
import { fresh } from "./fresh.ts";
import { h3 } from "./h3.ts";
import { h3v1 } from "./h3_1.ts";
import { hono, honoNode } from "./hono.ts";
import { koa, koa2 } from "./koa.ts";
import { lambda, lambda1, lambdaStream } from "./lambda.ts";
import { next, next15 } from "./next.ts";
import { nitro } from "./nitro.ts";
import { denoHttp, nodeHttp } from "./node_http.ts";
import { oak } from "./oak.ts";
import { reactRouter } from "./react_router.ts";
import { remix } from "./remix.ts";
import { svelteKit, svelteKit2 } from "./sveltekit.ts";
import { tanStackStart } from "./tanstack_start.ts";
import { workers } from "./workers.ts";

/** Every framework, in the order of the table. */
export const drivers: readonly Driver[] = [
  denoServe,
  bunServe,
  workers,
  remix,
  reactRouter,
  hono,
  honoNode,
  elysia,
  elysiaNode,
  h3,
  h3v1,
  oak,
  fresh,
  express,
  express4,
  fastify,
  fastify4,
  koa,
  koa2,
  nodeHttp,
  denoHttp,
  lambda,
  lambda1,
  lambdaStream,
  next,
  next15,
  nitro,
  svelteKit,
  svelteKit2,
  astro,
  astro6,
  tanStackStart,
];
