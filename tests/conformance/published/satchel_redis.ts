/** The Redis storage of this library, through node-redis. */
import { createClient } from "npm:redis@^6.3.1";
import type { Target } from "../../../conformance/mod.ts";
import { sendBy } from "../../../storage/engines/redis/client.ts";
import { startRedis } from "../../engines/_servers.ts";
import { redisTarget } from "../targets.ts";

const { port } = await startRedis();
const client = await createClient({ url: `redis://127.0.0.1:${port}` })
  .connect();
globalThis.addEventListener("unload", () => client.destroy());

const target: Target = redisTarget("Satchel Redis", sendBy(client));
export default target;
