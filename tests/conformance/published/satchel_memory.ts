/** The memory storage of this library. */
import type { Target } from "../../../conformance/mod.ts";
import { memoryTarget } from "../targets.ts";

const target: Target = { ...memoryTarget(), name: "Satchel memory" };
export default target;
