// open() does not pass the suite's clock to the storage.
import type { Target } from "@satchel/session/conformance";
import { variant } from "./_variant.ts";

const target: Target = variant({ options: { now: Date.now } });

export default target;
