/**
 * The shop's settings from the environment, and the messages for settings that do not work.
 *
 * @module
 */
import { join } from "node:path";

/** What the environment can change. */
export interface Settings {
  storage: string;
  hostname: string;
  port: number;
  /** The folder of the database, of the session files and of the secret. */
  dataDir: string;
  /** The address of Redis. */
  redisUrl: string;
  /** The address of PostgreSQL. */
  databaseUrl: string;
}

/** An error that a change of the settings can fix. Its message says which. */
export class Problem extends Error {}

/** Reads the settings. */
export function readSettings(): Settings {
  const port = Number(Deno.env.get("PORT") || 8000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Problem("PORT must be a whole number from 0 to 65535");
  }
  const redisUrl = Deno.env.get("REDIS_URL") || "redis://127.0.0.1:6379";
  if (!/^rediss?:/.test(redisUrl) || !URL.canParse(redisUrl)) {
    throw new Problem("REDIS_URL must be like redis://127.0.0.1:6379");
  }
  const databaseUrl = Deno.env.get("DATABASE_URL") || "";
  if (databaseUrl && !isPostgres(databaseUrl)) {
    throw new Problem(
      "DATABASE_URL must be like postgres://user:password@127.0.0.1:5432/shop",
    );
  }
  return {
    storage: Deno.env.get("STORAGE") || (databaseUrl ? "postgres" : "kv"),
    hostname: Deno.env.get("HOST") || "127.0.0.1",
    port,
    dataDir: Deno.env.get("DATA_DIR") || ".data",
    redisUrl,
    databaseUrl,
  };
}

function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/.test(url) && URL.canParse(url);
}

/**
 * The secrets that sign the session cookie: the first signs, all verify. To rotate, add a new one at the front, and
 * remove the last one when its cookies have expired.
 */
export async function readSecrets(dataDir: string): Promise<string[]> {
  const given = (Deno.env.get("SESSION_SECRETS") ?? "").split(",")
    .map((secret) => secret.trim()).filter(Boolean);
  return given.length > 0 ? given : [await keptSecret(dataDir)];
}

/** The secret in the data folder. The first start makes it, so that sessions survive a restart. */
async function keptSecret(dataDir: string): Promise<string> {
  await makeFolder(dataDir);
  const path = join(dataDir, "secret");
  try {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    await Deno.writeTextFile(path, bytes.toBase64({ alphabet: "base64url" }), {
      createNew: true,
      mode: 0o600,
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw unusable(dataDir, error);
    }
  }
  try {
    const secret = (await Deno.readTextFile(path)).trim();
    if (secret.length >= 32) return secret;
  } catch (error) {
    throw unusable(dataDir, error);
  }
  throw new Problem(
    `The secret in ${path} is damaged: delete the file, or set SESSION_SECRETS`,
  );
}

/** Makes the data folder, readable only by this user, and checks that it is writable. */
export async function makeFolder(dataDir: string): Promise<void> {
  try {
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
    await Deno.remove(await Deno.makeTempFile({ dir: dataDir }));
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

/** The error for a data folder that cannot be used. */
export function unusable(dataDir: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotCapable) return error;
  return new Problem(
    `Cannot use the data folder ${dataDir} (${reason(error)}): ` +
      "set DATA_DIR to a folder that can be written",
  );
}

/** Describes a failed start in one line that says what to change. */
export function explainStart(error: unknown, settings?: Settings): string {
  const { hostname = "", port = 0 } = settings ?? {};
  if (error instanceof Problem) return error.message;
  if (error instanceof Deno.errors.NotCapable) {
    const [what] = error.message.split(",");
    return `Missing permission: ${what}. Start the shop with "deno task start", or add that permission`;
  }
  if (error instanceof Deno.errors.AddrInUse) {
    return `Port ${port} is taken: set PORT to another, or to 0 for any that is free`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `Not allowed to listen on port ${port}: set PORT to one from 1024 on`;
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return `This machine has no address ${hostname}: set HOST to one that it has`;
  }
  return `Cannot start: ${reason(error)}`;
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? text;
}
