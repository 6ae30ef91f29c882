import { conformance } from "@satchel/session/conformance";
import { test } from "vitest";
import target from "./target.ts";

conformance(test, target, { seed: 1 });
