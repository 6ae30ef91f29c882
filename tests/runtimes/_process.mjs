// What Bun and Node share: a folder, the ports, and packages as they are installed beside the bundle.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const { load, register } = await import(process.env.SUITE);

const dir = mkdtempSync(join(tmpdir(), "satchel-"));

export const here = {
  runtime: process.env.RUNTIME,
  ports: JSON.parse(process.env.PORTS),
  dir,
  load,
};
