/** The file storage of this library. */
import type { Target } from "../../../conformance/mod.ts";
import { fileTarget } from "../targets.ts";
import { folder } from "./_files.ts";

const target: Target = {
  ...fileTarget(folder("satchel")),
  name: "Satchel file",
};
export default target;
