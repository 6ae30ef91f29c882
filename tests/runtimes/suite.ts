/**
 * The storages that run everywhere, for the test runner of any runtime. Bundled, because only Deno resolves `jsr:`.
 */
import { conformance, type TestFunction } from "../../conformance/mod.ts";
import {
  cookieTarget,
  databaseTarget,
  fileTarget,
  memoryTarget,
} from "../conformance/targets.ts";

/**
 * Registers the suite for each storage.
 *
 * @param root A folder for the file storage.
 */
export function register(test: TestFunction, root: string): void {
  for (
    const target of [
      memoryTarget(),
      cookieTarget(),
      fileTarget(root),
      databaseTarget(),
    ]
  ) conformance(test, target);
}
