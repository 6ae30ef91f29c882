// deno-lint-ignore-file no-console -- prints its origin
import process from "node:process";
import type { Driver } from "./_driver.ts";
import { express, express4 } from "./express.ts";
import { fastify, fastify4 } from "./fastify.ts";
import { koa } from "./koa.ts";

const drivers: Driver[] = [express, express4, fastify, fastify4, koa];
const driver = drivers.find(({ name }) => name === process.argv[2]);
console.log((await driver?.serve())?.origin);
