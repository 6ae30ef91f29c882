import { rmSync } from "node:fs";
import { afterAll, test } from "bun:test";
import { here, register } from "./_process.mjs";

afterAll(() => rmSync(here.dir, { recursive: true, force: true }));
await register(test, here);
