import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const { register } = await import(process.env.SUITE);
const root = mkdtempSync(join(tmpdir(), "satchel-"));
after(() => rmSync(root, { recursive: true, force: true }));
register(test, root);
