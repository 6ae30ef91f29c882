/**
 * The engines of this library keep the contract, each with its real database.
 */
import { MemcacheClient } from "npm:memcache-client@^1.0.5";
import { Redis as IoRedis } from "npm:ioredis@^6.0.0";
import { Redis } from "npm:@upstash/redis@^1.39.0";
import { createClient } from "npm:redis@^6.3.1";
import { SqliteEngine } from "../../../examples/sqlite_storage.ts";
import { MemcachedClient } from "../../../storage/engines/memcached/client.ts";
import { sendBy } from "../../../storage/engines/redis/client.ts";
import {
  PACKAGES as DYNAMODB,
  startDynamoDB,
} from "../../engines/_dynamodb.ts";
import { withPackages } from "../../engines/_packages.ts";
import {
  installed,
  startMemcached,
  startRedis,
} from "../../engines/_servers.ts";
import { startUpstash } from "../../engines/_upstash.ts";
import { PACKAGES as WORKERD, startWorkerd } from "../../engines/_workerd.ts";
import { startObjects } from "../../engines/_objects.ts";
import { PATIENT } from "../targets.ts";
import { keeps } from "./_keeps.ts";
import {
  denoKvEngine,
  durableObjectsEngine,
  dynamoDBEngine,
  fileEngine,
  memcachedEngine,
  memoryEngine,
  redisEngine,
  workersKvEngine,
} from "./targets.ts";

const TOUCH = ["ENGINE-15", "ENGINE-16", "ENGINE-17", "ENGINE-21"];
const SWEEP = ["ENGINE-27", "ENGINE-28"];
const OWNED = ["ENGINE-29", "ENGINE-30", "ENGINE-32", "ENGINE-33"];
const CAS = [
  ...["ENGINE-10", "ENGINE-11", "ENGINE-12", "ENGINE-13", "ENGINE-14"],
  ...["ENGINE-18", "ENGINE-19", "ENGINE-20"],
];

keeps(memoryEngine(), [
  ...["ENGINE-23", "ENGINE-25", "ENGINE-26", "ENGINE-32"],
  "ENGINE-33",
]);

const dir = await Deno.makeTempDir();
const kv = await Deno.openKv(":memory:");
globalThis.addEventListener("unload", () => {
  kv.close();
  Deno.removeSync(dir, { recursive: true });
});
keeps(fileEngine(dir), OWNED);
keeps(
  {
    name: "the guide's SQLite",
    clock: { kind: "virtual", advance() {} },
    open: ({ namespace }) => new SqliteEngine(`${dir}/sqlite.db`, namespace),
  },
  [...OWNED, "ENGINE-31"],
);
keeps(denoKvEngine(kv), [...TOUCH, ...SWEEP, ...OWNED]);

if (installed("redis")) {
  const { port } = await startRedis();
  const client = await createClient({ url: `redis://127.0.0.1:${port}` })
    .connect();
  const ioRedis = new IoRedis(port, "127.0.0.1");
  globalThis.addEventListener("unload", () => {
    client.destroy();
    ioRedis.disconnect();
  });
  const without = ["ENGINE-25", ...SWEEP, ...OWNED];
  keeps(redisEngine("Redis, node-redis", sendBy(client)), without);
  keeps(redisEngine("Redis, ioredis", sendBy(ioRedis)), without);
  const { url, token, stop } = startUpstash(port);
  globalThis.addEventListener("unload", stop);
  const upstash = new Redis({ url, token });
  keeps(redisEngine("Redis, Upstash", sendBy(upstash)), without);
}

if (installed("memcached")) {
  const { port } = await startMemcached();
  const own = new MemcachedClient(
    `127.0.0.1:${port}`,
    PATIENT.deadline * 1000,
  );
  const client = new MemcacheClient({ server: `127.0.0.1:${port}` });
  globalThis.addEventListener("unload", () => {
    own.close();
    client.shutdown();
  });
  const without = [
    ...TOUCH,
    ...SWEEP,
    ...OWNED,
    ...["ENGINE-05", "ENGINE-06", "ENGINE-25", "ENGINE-26"],
  ];
  keeps(memcachedEngine("Memcached", own), without);
  keeps(memcachedEngine("Memcached, memcache-client", client), without);
}

await withPackages(
  "DynamoDB (dynalite, AWS SDK)",
  DYNAMODB,
  startDynamoDB,
  ({ document, table }) =>
    keeps(dynamoDBEngine(document, table), [
      "ENGINE-25",
      ...SWEEP,
      ...OWNED,
    ]),
);

await withPackages(
  "Workers KV (workerd)",
  WORKERD,
  startWorkerd,
  ({ kv }) =>
    keeps(workersKvEngine(kv), [
      "ENGINE-25",
      ...CAS,
      ...TOUCH,
      ...SWEEP,
      ...OWNED,
    ]),
);

await withPackages(
  "Durable Objects (workerd)",
  WORKERD,
  startObjects,
  ({ namespace }) =>
    keeps(durableObjectsEngine(namespace), ["ENGINE-25", ...SWEEP, ...OWNED]),
);
