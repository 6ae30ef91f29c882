/** The Durable Object storage of this library, in Miniflare's workerd. */
import type { Target } from "../../../conformance/mod.ts";
import { startObjects } from "../../engines/_objects.ts";
import { durableObjectsTarget } from "../targets.ts";

const { namespace } = await startObjects();

const target: Target = durableObjectsTarget(
  "Satchel Durable Objects",
  namespace,
);
export default target;
