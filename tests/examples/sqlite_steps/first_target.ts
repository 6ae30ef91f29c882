import { createSessionStorage } from "@satchel/session";
import type { Target } from "@satchel/session/conformance";
import { SqliteEngine } from "./first_storage.ts";

const dir = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

const target: Target = {
  name: "sqlite",
  capabilities: ["revoke"],
  open({ namespace }) {
    const engine = new SqliteEngine(`${dir}/${namespace}.db`);
    const storage = createSessionStorage({ engine });
    return { storage, close: () => storage.close?.() };
  },
};

export default target;
