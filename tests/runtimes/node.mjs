import { rmSync } from "node:fs";
import { after, test } from "node:test";
import { here, register } from "./_process.mjs";

after(() => rmSync(here.dir, { recursive: true, force: true }));
await register(test, here);
