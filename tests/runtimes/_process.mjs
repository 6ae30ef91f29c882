// What Bun and Node share: a folder, the ports, and packages as they are installed beside the bundle.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const { load, register } = await import(process.env.SUITE);

const dir = mkdtempSync(join(tmpdir(), "satchel-"));

export const here = {
  ...JSON.parse(process.env.HERE),
  runtime: process.env.RUNTIME,
  dir,
  load,
};
