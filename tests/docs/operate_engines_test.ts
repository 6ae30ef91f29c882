// Runs the commands of `docs/operate.md` against the engines: backups, and a look at the records.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  createDenoKvSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createRedisSessionStorage,
  createWorkersKVSessionStorage,
  type SessionStorage,
  type StorageOptions,
} from "../../mod.ts";
import { cookieHeader } from "../core/_support.ts";
import { PACKAGES as DYNAMODB, startDynamoDB } from "../engines/_dynamodb.ts";
import { eventually } from "../engines/_eventually.ts";
import { withPackages } from "../engines/_packages.ts";
import { installed, startMemcached, startRedis } from "../engines/_servers.ts";
import { PACKAGES as WORKERD, startWorkerd } from "../engines/_workerd.ts";

const guide = await Deno.readTextFile(
  new URL("../../docs/operate.md", import.meta.url),
);

/** The lines of the first fence after a text below a heading. */
function fenceAfter(heading: string, text: string): string[] {
  const [, section = ""] = guide.split(`\n## ${heading}\n`);
  const [, after] = section.split(`\n${text}`);
  const [, , code] = after?.match(/\n```(sh|text|ts)\n([^]*?)\n```\n/) ?? [];
  if (code === undefined) throw new Error(`there is no fence after "${text}"`);
  return code.split("\n");
}

/** Runs a command of the guide in a shell, and returns what it prints. */
async function sh(
  command: string,
  { cwd, env = {}, aliases = "" }: {
    cwd: string;
    env?: Record<string, string>;
    /** Shell aliases that add the address of the test's own server. */
    aliases?: string;
  },
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-euc", `${aliases}\n${command}`],
    cwd,
    env,
  }).output();
  const decoder = new TextDecoder();
  assert(success, `${command}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout).trim();
}

function has(command: string): boolean {
  try {
    new Deno.Command(command, { args: ["--version"] }).outputSync();
    return true;
  } catch {
    return false;
  }
}

const options = { cookie: { secrets: ["s3cr3t"] } } satisfies StorageOptions;

async function login({ getSession, commitSession }: SessionStorage) {
  const session = await getSession();
  session.restart();
  session.set("userId", "ann@example.org");
  return cookieHeader(await commitSession(session));
}

async function userOf(storage: SessionStorage, cookie: string) {
  return (await storage.getSession(cookie)).get("userId");
}

/** Signs three visitors in, and returns the key of the last one as an event names it. */
async function fill(
  open: (options: StorageOptions) => SessionStorage,
): Promise<string> {
  let key = "";
  const storage = open({
    ...options,
    onEvent: ({ session = "" }) => key = session,
  });
  for (let i = 0; i < 3; i++) await login(storage);
  await storage.close?.();
  return key;
}

const DATA = /"userId":"ann@example.org"/;

async function inFolder(test: (cwd: string) => Promise<void>): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "satchel_operate_" });
  try {
    await test(cwd);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

const posix = { ignore: Deno.build.os === "windows" };

// Files -------------------------------------------------------------------------------

Deno.test(
  "operate.md counts and shows sessions in files",
  posix,
  () =>
    inFolder(async (cwd) => {
      const dir = join(cwd, "sessions");
      const key = await fill((o) => createFileSessionStorage({ ...o, dir }));
      const [count = "", show = ""] = fenceAfter(
        "Count and inspect",
        "**Files**",
      );
      assertEquals(await sh(count, { cwd }), "3");
      assertMatch(await sh(show, { cwd, env: { KEY: key } }), DATA);
    }),
);

Deno.test(
  "operate.md backs files up; notBefore keeps revoked sessions out",
  posix,
  () =>
    inFolder(async (cwd) => {
      const open = (name: string, more: StorageOptions = {}) =>
        createFileSessionStorage({ ...options, ...more, dir: join(cwd, name) });
      const storage = open("sessions");
      const cookie = await login(storage);
      const [copy = ""] = fenceAfter("Back up and restore", "**Files.**");
      await sh(copy, { cwd });
      await storage.destroySession(await storage.getSession(cookie));
      assertEquals(await userOf(storage, cookie), undefined);

      assertEquals(await userOf(open("backup"), cookie), "ann@example.org");
      const time = Date.now() + 1;
      const safe = open("backup", {
        notBefore: new Date(time),
        now: () => time,
      });
      assertEquals(await userOf(safe, cookie), undefined);
    }),
);

// Redis -------------------------------------------------------------------------------

if (installed("redis")) {
  const by = (port: number) => `alias redis-cli="redis-cli -p ${port}"`;
  const openAt = (port: number) => (more: StorageOptions) =>
    createRedisSessionStorage({ ...more, url: `redis://127.0.0.1:${port}` });

  Deno.test(
    "operate.md counts and shows sessions in Redis",
    posix,
    () =>
      inFolder(async (cwd) => {
        const server = await startRedis();
        const aliases = by(server.port);
        const key = await fill(openAt(server.port));
        const [count = "", show = ""] = fenceAfter(
          "Count and inspect",
          "**Redis and Valkey**",
        );
        assertEquals(await sh(count, { cwd, aliases }), "3");
        const shown = await sh(show, { cwd, aliases, env: { KEY: key } });
        assertMatch(shown, DATA);
        assert(shown.startsWith("["), "the record begins there");
        await server.stop();
      }),
  );

  Deno.test(
    "operate.md backs Redis up, and restores it on another server",
    posix,
    () =>
      inFolder(async (cwd) => {
        const first = await startRedis();
        const storage = openAt(first.port)(options);
        const cookie = await login(storage);
        const [backup = "", start = "", persist = ""] = fenceAfter(
          "Back up and restore",
          "**Redis.**",
        );
        await sh(backup, { cwd, aliases: by(first.port) });
        await storage.close?.();
        await first.stop();

        const [command, ...args] = start.split(" ");
        assertEquals(command, "redis-server");
        const second = await startRedis(
          ...args.map((arg) => arg === "." ? cwd : arg),
        );
        const aliases = by(second.port);
        assertEquals(await sh(persist, { cwd, aliases }), "OK");
        const restored = openAt(second.port)(options);
        assertEquals(await userOf(restored, cookie), "ann@example.org");
        // The append-only file holds the sessions from before it was turned on, too.
        await eventually(async () => {
          const info = await sh("redis-cli info persistence", {
            cwd,
            aliases,
          });
          assertMatch(info, /aof_rewrite_in_progress:0/);
          assertMatch(info, /aof_rewrite_scheduled:0/);
        });
        assertEquals(
          await sh("redis-cli config get appendonly", { cwd, aliases }),
          "appendonly\nyes",
        );
        await restored.close?.();
        await second.stop();
      }),
  );

  Deno.test(
    "operate.md erases what Redis keeps of deleted sessions",
    posix,
    () =>
      inFolder(async (cwd) => {
        const server = await startRedis();
        const aliases = by(server.port);
        const [, dir = ""] =
          (await sh("redis-cli config get dir", { cwd, aliases })).split(
            "\n",
          );
        const storage = createRedisSessionStorage<{ userId: string }>({
          ...options,
          url: `redis://127.0.0.1:${server.port}`,
          owner: ({ userId }) => userId,
        });
        await login(storage);
        await storage.destroySessions("ann@example.org");
        const found = () =>
          sh(`grep -rl ann@example.org "${dir}" | wc -l`, { cwd });
        assertEquals(await found(), "1");
        const [rewrite = ""] = /redis-cli bgrewriteaof/.exec(guide) ?? [];
        await sh(rewrite, { cwd, aliases });
        await eventually(async () => assertEquals(await found(), "0"));
        await storage.close?.();
        await server.stop();
      }),
  );
}

// Memcached ---------------------------------------------------------------------------

if (installed("memcached")) {
  Deno.test("operate.md counts and shows sessions in Memcached", async () => {
    const server = await startMemcached();
    const url = `memcached://127.0.0.1:${server.port}`;
    const key = await fill((o) => createMemcacheSessionStorage({ ...o, url }));
    const [count = "", show = ""] = fenceAfter(
      "Count and inspect",
      "**Memcached**",
    );
    const ask = async (line: string) => {
      using socket = await Deno.connect({
        hostname: "127.0.0.1",
        port: server.port,
      });
      const lines = `${line.replace("$KEY", key)}\r\nquit\r\n`;
      await socket.write(new TextEncoder().encode(lines));
      return await new Response(socket.readable).text();
    };
    assertMatch(await ask(count), /STAT curr_items 3\r\n/);
    assertMatch(await ask(show), DATA);
    await server.stop();
  });
}

// Deno KV -----------------------------------------------------------------------------

Deno.test("operate.md counts and shows sessions in Deno KV", async () => {
  using kv = await Deno.openKv(":memory:");
  const key = await fill((o) => createDenoKvSessionStorage({ ...o, kv }));
  const code = fenceAfter("Count and inspect", "**Deno KV**").join("\n");
  const url = URL.createObjectURL(
    new Blob([`${code}\nexport { inspect };`], {
      type: "application/typescript",
    }),
  );
  const { inspect } = await import(url);
  const { count, text } = await inspect(kv, key);
  assertEquals(count, 3);
  assertMatch(text, DATA);
});

Deno.test("operate.md backs Deno KV up, and erases what its file keeps of deleted sessions", () =>
  inFolder(async (cwd) => {
    const path = join(cwd, "sessions.db");
    const kv = await Deno.openKv(path);
    const storage = createDenoKvSessionStorage<{ userId: string }>({
      ...options,
      kv,
      owner: ({ userId }) => userId,
    });
    const cookie = await login(storage);
    const [backup = ""] = fenceAfter("Back up and restore", "**Deno KV**");
    const [, sql = ""] = /^sqlite3 sessions\.db "(.*)"$/.exec(backup) ?? [];
    const run = (statement: string) => {
      using db = new DatabaseSync(path);
      db.exec(statement.replace("backup.db", join(cwd, "backup.db")));
    };
    run(sql);
    await storage.destroySessions("ann@example.org");
    kv.close();

    using restored = await Deno.openKv(join(cwd, "backup.db"));
    assertEquals(
      await userOf(
        createDenoKvSessionStorage({ ...options, kv: restored }),
        cookie,
      ),
      "ann@example.org",
    );

    const holds = () =>
      new TextDecoder().decode(Deno.readFileSync(path))
        .includes("ann@example.org");
    assert(holds(), "deleted bytes are left in the file");
    const [, vacuum = ""] = /`sqlite3 sessions\.db (vacuum)`/.exec(guide) ?? [];
    run(vacuum);
    assert(!holds());
  }));

// DynamoDB and Workers KV -------------------------------------------------------------

if (has("aws")) {
  await withPackages(
    "DynamoDB (operate.md)",
    DYNAMODB,
    startDynamoDB,
    (local) => {
      Deno.test(
        "operate.md counts and shows sessions in DynamoDB",
        posix,
        () =>
          inFolder(async (cwd) => {
            const table = await local.table("sessions");
            const client = local.document;
            const key = await fill((o) =>
              createDynamoDBSessionStorage({ ...o, client, table })
            );
            const env = {
              AWS_ACCESS_KEY_ID: "local",
              AWS_SECRET_ACCESS_KEY: "local",
              AWS_DEFAULT_REGION: "local",
              KEY: key,
            };
            const aliases =
              `alias aws="aws --endpoint-url http://127.0.0.1:${local.port}"`;
            const [count = "", show = ""] = fenceAfter(
              "Count and inspect",
              "**DynamoDB**",
            );
            assertEquals(await sh(count, { cwd, env, aliases }), "3");
            const shown = await sh(show, { cwd, env, aliases });
            assertMatch(shown.replaceAll("\\", ""), DATA);
            await local.stop();
          }),
      );
    },
  );
}

await withPackages(
  "Workers KV (operate.md)",
  WORKERD,
  startWorkerd,
  (worker) => {
    Deno.test("operate.md names the keys of sessions in Workers KV", async () => {
      const key = await fill((o) =>
        createWorkersKVSessionStorage({
          ...o,
          idleTimeout: undefined,
          owner: undefined,
          kv: worker.kv,
        })
      );
      const [, show = ""] = fenceAfter("Count and inspect", "**Workers KV**");
      const keys = (await worker.keys()).map(({ name }) => name);
      assertEquals(keys.length, 3);
      const [, name = ""] = /"(session:\$KEY)"$/.exec(show) ?? [];
      assert(keys.includes(name.replace("$KEY", key)));
      await worker.stop();
    });
  },
);
