// The engine does not have compare-and-set, and declares it.
import type { Target } from "@satchel/session/conformance";
import { variant } from "./_variant.ts";

const target: Target = variant({
  without: ["merge", "owners"],
  engine: (engine) => ({
    guarantees: { ...engine.guarantees, compareAndSet: false },
    write: (key, value, { expires }) => engine.write(key, value, { expires }),
    delete: (key) => engine.delete(key),
    touch: (key, expires) => engine.touch(key, expires),
  }),
});

export default target;
