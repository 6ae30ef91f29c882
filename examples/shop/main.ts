/**
 * Starts the shop: `deno task start`.
 *
 * - `STORAGE`: where sessions are kept: `kv` (a database in a file; the default), `file`, `memory`, `cookie`, `sqlite`,
 *   `postgres` or `redis`
 * - `DATABASE_URL`: the address of PostgreSQL; with it, `STORAGE` is `postgres` by default
 * - `REDIS_URL`: the address of Redis; redis://127.0.0.1:6379
 * - `PORT`, `HOST`: where to listen; 8000 and 127.0.0.1
 * - `DATA_DIR`: the folder of the database, the session files and the secret; `.data`
 * - `SESSION_SECRETS`: secrets for the cookie, separated by commas; without it, the data folder keeps a random secret
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command
import { createShop } from "./app.ts";
import { explainStart, readSettings, type Settings } from "./settings.ts";
import { lifetimes, openStorage } from "./storages.ts";

async function start(settings: Settings): Promise<void> {
  const { storage, close } = await openStorage(settings);
  const { hostname, port } = settings;
  const shop = createShop({
    storage,
    storageName: settings.storage,
    ...lifetimes,
  });
  const server = Deno.serve({
    hostname,
    port,
    onListen({ hostname, port }) {
      const host = hostname === "0.0.0.0" ? "localhost" : hostname;
      const address = `http://${host.includes(":") ? `[${host}]` : host}`;
      console.log(`Shop: ${address}:${port}/ (storage: ${settings.storage})`);
      console.log("Open it, fill the cart, and sign in: ada, lovelace.");
      if (settings.storage === "memory") {
        console.log("Sessions end when the server stops.");
      }
    },
  }, shop);

  const stop = () => {
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
    server.shutdown();
  };
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  await server.finished;
  await close();
}

/** Sent by Ctrl-C, by service managers, and when a console is closed on Windows. */
const signals: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

let settings: Settings | undefined;
try {
  settings = readSettings();
  await start(settings);
} catch (error) {
  console.error(explainStart(error, settings));
  Deno.exit(1);
}
