/**
 * Starts the shop: `deno task start`.
 *
 * - `STORAGE`: where sessions live: `kv` (a database in a file; the default), `file`, `memory` or `cookie`
 * - `PORT`, `HOST`: where to listen; 8000 and 127.0.0.1
 * - `DATA_DIR`: the folder of the database, the session files and the secret; `.data`
 * - `SESSION_SECRETS`: secrets for the cookie, separated by commas; made and kept in the data folder if there are none
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command
import {
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createFileSessionStorage,
  createMemorySessionStorage,
  type HttpSessionStorage,
  type SessionCookieOptions,
} from "@satchel/session";
import { join } from "node:path";
import { createShop, type Data, type Flash } from "./app.ts";
import {
  explainStart,
  makeFolder,
  Problem,
  readSecrets,
  readSettings,
  type Settings,
  unusable,
} from "./settings.ts";

const DAY = 24 * 60 * 60;
// An idle timeout holds for all sessions, remembered ones too: where it is minutes, nobody is remembered for days.
const idleTimeout = 7 * DAY;
const absoluteTimeout = 30 * DAY;
const rememberFor = 30 * DAY;

/** A storage, and how to let go of what it holds. */
interface Opened {
  storage: HttpSessionStorage<Data, Flash>;
  close(): Promise<void> | void;
}

async function openStorage({ storage, dataDir }: Settings): Promise<Opened> {
  const names = ["kv", "file", "memory", "cookie"];
  if (!names.includes(storage)) {
    throw new Problem(
      `There is no storage "${storage}": set STORAGE to ${names.join(", ")}`,
    );
  }
  // Behind HTTPS, add `secure: true` and call it "__Host-session".
  const cookie: SessionCookieOptions = {
    name: "session",
    secrets: await readSecrets(dataDir),
  };
  const timeouts = { idleTimeout, absoluteTimeout };
  if (storage === "cookie") {
    return keep(
      createCookieSessionStorage<Data, Flash>({ cookie, ...timeouts }),
    );
  }
  const owner = ({ user }: Partial<Data>) => user;
  const options = { cookie, ...timeouts, owner };
  if (storage === "memory") {
    return keep(createMemorySessionStorage<Data, Flash>(options));
  }
  await makeFolder(dataDir);
  if (storage === "file") {
    const dir = join(dataDir, "sessions");
    return keep(createFileSessionStorage<Data, Flash>({ ...options, dir }));
  }
  const kv = await openKv(dataDir);
  return {
    storage: createDenoKvSessionStorage<Data, Flash>({ ...options, kv }),
    close: () => kv.close(),
  };
}

function keep(storage: HttpSessionStorage<Data, Flash>): Opened {
  return { storage, close: () => storage.close?.() };
}

async function openKv(dataDir: string): Promise<Deno.Kv> {
  const path = join(dataDir, "sessions.sqlite");
  try {
    // The database takes over the mode of a file that is there already: for this user alone.
    await Deno.writeTextFile(path, "", { append: true, mode: 0o600 });
    return await Deno.openKv(path);
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

async function start(settings: Settings): Promise<void> {
  const { storage, close } = await openStorage(settings);
  const { hostname, port } = settings;
  const shop = createShop({
    storage,
    storageName: settings.storage,
    idleTimeout,
    absoluteTimeout,
    rememberFor,
  });
  const server = Deno.serve({
    hostname,
    port,
    onListen({ hostname, port }) {
      const host = hostname === "0.0.0.0" ? "localhost" : hostname;
      const address = `http://${host.includes(":") ? `[${host}]` : host}`;
      console.log(`Shop: ${address}:${port}/ (storage: ${settings.storage})`);
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

/** Ctrl-C; what service managers send; what closes a console on Windows. */
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
