/** The cookie storage of this library. */
import type { Target } from "../../../conformance/mod.ts";
import { cookieTarget } from "../targets.ts";

const target: Target = { ...cookieTarget(), name: "Satchel cookie" };
export default target;
