/**
 * A request that reads a session and writes it, on Redis over loopback: this library, connect-redis with
 * express-session, and Remix 3's storage, each by its own node-redis client with one connection, made as its
 * documentation says.
 *
 * `deno run -A bench/redis.ts`; what the rows mean and one run's figures are in `bench/README.md`. All three take turns,
 * in rounds, so that they share the machine's moods.
 */
// deno-lint-ignore-file no-console -- prints what it measured
import session from "npm:express-session@^1.19.0";
import { createCookie } from "@remix-run/cookie";
import { createRedisSessionStorage } from "@satchel/session";
import { createRedisSessionStorage as createRemixStorage } from "npm:@remix-run/session-storage-redis@0.1.1";
import { RedisStore } from "npm:connect-redis@^10.0.0";
import { createClient } from "npm:redis@^6.3.1";
import { startRedis } from "../tests/engines/_servers.ts";

// No disk: it would be all that is measured.
const { port } = await startRedis("--appendonly", "no");
const connect = () =>
  createClient({ url: `redis://127.0.0.1:${port}` })
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
  /** What express-session sees of a request and its response; gives the cookie that it sets. */
  function handle(cookie: string, change: object): Promise<string> {
    return new Promise((resolve, reject) => {
      let sent = "";
      const request = {
        headers: { cookie },
        url: "/",
        originalUrl: "/",
        method: "GET",
        connection: {},
      };
      const response = {
        headersSent: false,
        getHeader: () => undefined,
        setHeader: (_name: string, [value]: string[]) => sent = value ?? "",
        writeHead() {},
        _implicitHeader() {
          this.writeHead();
        },
        write() {},
        end: () => resolve(sent.split(";")[0] ?? ""),
      };
      // deno-lint-ignore no-explicit-any -- Express' own types ask for everything that a request has
      middleware(request as any, response as any, (error: unknown) => {
        if (error) return reject(error);
        Object.assign((request as { session?: object }).session ?? {}, change);
        response.end();
      });
    });
  }
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
    const cookie = await handle("", data);
    return (visits) => handle(cookie, { visits });
  }];
}

const libraries = {
  "@satchel/session": await satchel(),
  "connect-redis": await connectRedis(),
  "@remix-run/session-storage-redis": await remix(),
};

const ROUNDS = 30;
const VISITORS = 32;

interface Row {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** The mean of each round, in µs. */
  readonly means: number[];
  /** Each run, in µs. */
  readonly times: number[];
}

async function measure({ run, means, times }: Row, runs: number) {
  const begin = performance.now();
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    times.push((performance.now() - start) * 1000);
  }
  means.push((performance.now() - begin) / runs * 1000);
}

function line({ name, means, times }: Row): string {
  const mean = means.reduce((sum, mean) => sum + mean) / means.length;
  const p99 = times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
  const cells = [Math.min(...means), mean, p99].map((us) => us.toFixed(0));
  return `| ${[name, ...cells].join(" | ")} |`;
}

let visits = 0;
for (const [kind, title] of ["the store alone", "with cookies"].entries()) {
  for (const visitors of [1, VISITORS]) {
    const rows = await Promise.all(
      Object.entries(libraries).map(async ([name, begins]): Promise<Row> => {
        const cycles = await Promise.all(
          Array.from({ length: visitors }, () => begins[kind]?.()),
        );
        const [alone] = cycles;
        const run = visitors === 1
          ? async () => await alone?.(++visits)
          : () => Promise.all(cycles.map((cycle) => cycle?.(++visits)));
        return { name, run, means: [], times: [] };
      }),
    );
    const runs = Math.ceil(500 / Math.sqrt(visitors));
    for (let round = 0; round <= ROUNDS; round++) {
      for (const row of rows) {
        await measure(row, runs);
        // The first round warms up.
        if (round === 0) row.means.length = row.times.length = 0;
      }
      // Who begins changes.
      rows.push(...rows.splice(0, 1));
    }
    const who = visitors === 1 ? "one request" : `${visitors} requests at once`;
    console.log(`\n| ${who}, ${title} | least, µs | mean, µs | p99, µs |`);
    console.log("| --- | --- | --- | --- |");
    for (const row of rows.sort((a, b) => a.name < b.name ? -1 : 1)) {
      console.log(line(row));
    }
  }
}
Deno.exit();
