import { createSessionStorage } from "@satchel/session";
import type { Target } from "@satchel/session/conformance";
import { SqliteBackend } from "./first_storage.ts";

const dir = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

const target: Target = {
  name: "sqlite",
  capabilities: ["revoke"],
  open({ namespace }) {
    const backend = new SqliteBackend(`${dir}/${namespace}.db`);
    const storage = createSessionStorage({ backend });
    return { storage, close: () => storage.close?.() };
  },
};

export default target;
