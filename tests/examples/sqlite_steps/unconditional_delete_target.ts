// delete() ignores ifVersion.
import type { Target } from "@satchel/session/conformance";
import { variant } from "./_variant.ts";

const target: Target = variant({
  engine: (engine) => ({ delete: (key) => engine.delete(key) }),
});

export default target;
