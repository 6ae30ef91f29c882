/**
 * A request that reads a session and writes it, on Redis over loopback: this library, connect-redis with
 * express-session, and Remix 3's storage, each by its own node-redis client with one connection and a database of its
 * own. The tables show the time, what the processor of this process and that of the server spend, and the memory of a
 * record.
 *
 * `deno run -A bench/redis.ts`; what the rows mean and one run's figures are in `bench/README.md`. All take turns, in
 * rounds, and a ratio is the median of the rounds' ratios, so that they share the machine's moods.
 */
// deno-lint-ignore-file no-console -- prints what it measured
import process from "node:process";
import session from "npm:express-session@^1.19.0";
import { createCookie } from "@remix-run/cookie";
import { createRedisSessionStorage } from "@satchel/session";
import { createRedisSessionStorage as createRemixStorage } from "npm:@remix-run/session-storage-redis@0.1.1";
import { RedisStore } from "npm:connect-redis@^10.0.0";
import { createClient } from "npm:redis@^6.3.1";
import { WRITE } from "../storage/engines/redis/scripts.ts";
import { handle } from "./express.ts";
import { median } from "./measure.ts";
import { cookieAfter } from "./visit.ts";
import { startRedis } from "../tests/engines/_servers.ts";

// No disk: it would be all that is measured.
const { port } = await startRedis("--appendonly", "no");

/** The databases of the libraries, in their order, and one to ask for what the server has spent. */
let databases = 0;

/**
 * Without the timer that node-redis sets for each command: on Deno it goes off five seconds later, in everybody's turns.
 * So all rows are those of a client at its best.
 */
const connect = () =>
  createClient({
    url: `redis://127.0.0.1:${port}/${databases++}`,
    commandOptions: { timeout: 0 },
  })
    // The server goes first when the run is over.
    .on("error", () => {})
    .connect();

const ttl = 14 * 24 * 60 * 60;
const secrets = ["0123456789abcdef0123456789abcdef"];
const data = {
  userId: "u_1042",
  theme: "dark",
  cart: [
    { sku: "tea-earl-grey-250", name: "Earl Grey, 250 g", quantity: 2 },
    { sku: "cup-blue-glaze-03", name: "Cup, blue glaze", quantity: 4 },
    { sku: "pot-cast-iron-12", name: "Pot, cast iron", quantity: 1 },
  ],
};

/** One request of one visitor. */
type Cycle = (visits: number) => Promise<unknown>;
/** Lets one more visitor begin. */
type Begin = () => Promise<Cycle>;

interface Values {
  set(key: string, value: unknown): void;
}

function fill<S extends Values>(session: S): S {
  for (const [key, value] of Object.entries(data)) session.set(key, value);
  return session;
}

/**
 * The least that a request can cost, without the code of a library: the commands of connect-redis, or those of this
 * library, which compare versions.
 */
async function commands(compares: boolean): Promise<[Begin]> {
  const client = await connect();
  const send = (...args: string[]) => client.sendCommand(args);
  const version = "0123456789abcdef";
  const text = version + JSON.stringify(data);
  return [async () => {
    const key = crypto.randomUUID();
    await send("SET", key, text);
    await send("EVAL", WRITE.text(), "1", key, version, text, `${ttl}000`);
    return async () => {
      await send("GET", key);
      await (compares
        ? send(
          ...["EVALSHA", WRITE.digest, "1", key, version, text],
          `${ttl}000`,
        )
        : send("SET", key, text, "EX", `${ttl}`));
    };
  }];
}

async function satchel(): Promise<[Begin, Begin]> {
  const client = await connect();
  const plain = createRedisSessionStorage({ client, ttl });
  const bound = createRedisSessionStorage({ client, ttl, cookie: { secrets } });
  return [async () => {
    const id = await plain.save(fill(await plain.read(null)));
    return async (visits) => {
      const session = await plain.read(id);
      session.set("visits", visits);
      await plain.save(session);
    };
  }, async () => {
    const first = await bound.commitSession(fill(await bound.getSession()));
    const [cookie = ""] = first.split(";");
    return async (visits) => {
      const session = await bound.getSession(cookie);
      session.set("visits", visits);
      return await bound.commitSession(session);
    };
  }];
}

async function remix(): Promise<[Begin, Begin]> {
  const client = await connect();
  const storage = createRemixStorage({
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    del: (key) => client.del(key),
    setEx: (key, seconds, value) => client.setEx(key, seconds, value),
  }, { ttl });
  const signed = createCookie("session", { secrets });
  const begin = async () =>
    await storage.save(fill(await storage.read(null))) ?? "";
  return [async () => {
    const id = await begin();
    return async (visits) => {
      const session = await storage.read(id);
      session.set("visits", visits);
      await storage.save(session);
    };
  }, async () => {
    const [cookie = ""] = (await signed.serialize(await begin())).split(";");
    return async (visits) => {
      const session = await storage.read(await signed.parse(cookie));
      session.set("visits", visits);
      return await signed.serialize(await storage.save(session) ?? "");
    };
  }];
}

async function connectRedis(): Promise<[Begin, Begin]> {
  const store = new RedisStore({ client: await connect(), ttl });
  type Stored = Parameters<typeof store.set>[1] & { visits: number };
  const middleware = session({
    store,
    secret: secrets,
    name: "session",
    resave: false,
    saveUninitialized: false,
    rolling: true,
  });
  const change = async (cookie: string | null, values: object) =>
    cookieAfter(
      await handle(middleware, cookie, ({ session }) => {
        Object.assign(session ?? {}, values);
      }),
    );
  return [async () => {
    const id = crypto.randomUUID();
    const cookie = { originalMaxAge: null, httpOnly: true, path: "/" };
    await store.set(id, { cookie, ...data } as unknown as Stored);
    return async (visits) => {
      const session = await store.get(id) as Stored;
      session.visits = visits;
      await store.set(id, session);
    };
  }, async () => {
    const cookie = await change(null, data);
    return (visits) => change(cookie, { visits });
  }];
}

const libraries: [name: string, [Begin, Begin?]][] = [
  ["@satchel/session", await satchel()],
  ["connect-redis", await connectRedis()],
  ["@remix-run/session-storage-redis", await remix()],
  ["GET and SET, no library", await commands(false)],
  ["GET and EVALSHA, no library", await commands(true)],
];
const control = await connect();

const ROUNDS = 40;
/** Rounds that warm up. */
const WARM = 5;
const VISITORS = 32;
/** Requests of a library in a round. */
const REQUESTS = 640;

/** What a request took, in µs. */
interface Cost {
  readonly wall: number;
  /** The time of this process's processor. */
  readonly client: number;
  /** The time of the server's. */
  readonly server: number;
}
const PARTS = ["wall", "client", "server"] as const;

interface Row {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** Of each round. */
  readonly costs: Cost[];
}

/** What the server's process has spent, in µs. */
async function serverTime(): Promise<number> {
  const info = await control.info("cpu");
  return ["used_cpu_user", "used_cpu_sys"].reduce((sum, name) => {
    const [, seconds] = new RegExp(`^${name}:([\\d.]+)`, "m").exec(info) ?? [];
    return sum + Number(seconds) * 1e6;
  }, 0);
}

async function measure(run: Row["run"], runs: number): Promise<Cost> {
  const served = await serverTime();
  const used = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < runs; i++) await run();
  const wall = (performance.now() - start) * 1000;
  const { user, system } = process.cpuUsage(used);
  const server = await serverTime() - served;
  const each = (us: number) => us / REQUESTS;
  return {
    wall: each(wall),
    client: each(user + system),
    server: each(server),
  };
}

/** A row of a table, with ratios to another row. */
function line({ name, costs }: Row, to: Row): string {
  const cells = PARTS.flatMap((part) => {
    const ratios = costs.map((cost, i) =>
      cost[part] / (to.costs[i]?.[part] ?? NaN)
    );
    return [
      median(costs.map((cost) => cost[part])).toFixed(1),
      median(ratios).toFixed(2),
    ];
  });
  return `| ${[name, ...cells].join(" | ")} |`;
}

let visits = 0;
for (const [kind, title] of ["the store alone", "with cookies"].entries()) {
  for (const visitors of [1, VISITORS]) {
    const rows: Row[] = [];
    for (const [name, begins] of libraries) {
      const begin = begins[kind];
      if (!begin) continue;
      const cycles = await Promise.all(Array.from({ length: visitors }, begin));
      const [alone] = cycles;
      const run = visitors === 1
        ? async () => await alone?.(++visits)
        : () => Promise.all(cycles.map((cycle) => cycle(++visits)));
      rows.push({ name, run, costs: [] });
    }
    const turns = [...rows];
    for (let round = -WARM; round < ROUNDS; round++) {
      for (const { run, costs } of turns) {
        const cost = await measure(run, REQUESTS / visitors);
        if (round >= 0) costs.push(cost);
      }
      // Who begins changes.
      turns.push(...turns.splice(0, 1));
    }
    const who = visitors === 1 ? "one at a time" : `${visitors} at once`;
    console.log(
      `\n| ${title}, ${who}; µs a request | wall | × | client | × | server | × |`,
    );
    console.log("| --- | --- | --- | --- | --- | --- | --- |");
    const to = rows.find(({ name }) => name === "connect-redis");
    if (to) { for (const row of rows) console.log(line(row, to)); }
  }
}

console.log("\n| µs of the server a call | |\n| --- | --- |");
const stats = await control.info("commandstats");
for (
  const [, name, us] of stats.matchAll(
    /^cmdstat_(get|set|setex|evalsha|getrange):.*usec_per_call=([\d.]+)/gm,
  )
) console.log(`| ${name?.toUpperCase()} | ${us} |`);

const SIZES = [300, 1000, 3000];
console.log(
  `\n| bytes of a record, with ${SIZES.join(", ")} bytes of data | |`,
);
console.log("| --- | --- |");
for (const [database, [name, [, begin]]] of libraries.entries()) {
  if (!begin) continue;
  await control.select(database);
  const bytes: number[] = [];
  for (const size of SIZES) {
    await control.flushDb();
    data.theme = "";
    data.theme = "x".repeat(size - JSON.stringify(data).length);
    await (await begin())(1);
    const key = String(await control.randomKey());
    bytes.push(await control.memoryUsage(key) ?? NaN);
  }
  console.log(`| ${name} | ${bytes.join(", ")} |`);
}
Deno.exit();
