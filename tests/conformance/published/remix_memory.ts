/** The memory storage of @remix-run/session: for development and tests. */
import { createMemorySessionStorage } from "@remix-run/session/memory-storage";
import { fromRemix, type Target } from "../../../conformance/mod.ts";

const target: Target = {
  name: "Remix 3 memory",
  profile: "remix",
  capabilities: ["revoke"],
  open: () => ({ storage: fromRemix(createMemorySessionStorage()) }),
};
export default target;
