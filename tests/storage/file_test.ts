import {
  createFileSessionStorage,
  createFsSessionStorage,
  SessionError,
} from "@satchel/session";
import {
  assert,
  assertEquals,
  assertExists,
  assertRejects,
  assertThrows,
} from "@std/assert";
import process from "node:process";
import type { FileEngine } from "../../storage/engines/file/engine.ts";
import { rowName } from "../_row.ts";
import {
  engineIn,
  expires,
  foldersIn,
  fsWith,
  inDir,
  keep,
  KEY,
  namesIn,
  windows,
  withFs,
} from "./_file_support.ts";

Deno.test("createFileSessionStorage() refuses a dir that is not a path", () => {
  for (const dir of [undefined, "", 1, null]) {
    const options = { dir } as unknown as { dir: string };
    assertThrows(
      () => createFileSessionStorage(options),
      TypeError,
      "dir must be the path of a directory",
      rowName(dir),
    );
    assertThrows(
      () => createFsSessionStorage(options.dir),
      TypeError,
      "dir",
      rowName(dir),
    );
  }
});

Deno.test("createFileSessionStorage() says what to use instead, when there is no file system", () => {
  withFs(undefined, () => {
    assertThrows(
      () => createFileSessionStorage({ dir: "sessions" }),
      TypeError,
      "use createCookieSessionStorage",
    );
  });
});

Deno.test("createFsSessionStorage() uses the cookie in its options", async () => {
  await inDir(async (dir) => {
    const { getSession, commitSession } = createFsSessionStorage(dir, {
      cookie: { secrets: ["s3cr3t"] },
    });
    const session = await getSession();
    session.set("theme", "dark");
    const [cookie = ""] = (await commitSession(session)).split(";");
    assertEquals((await getSession(cookie)).get("theme"), "dark");
  });
});

Deno.test("createFileSessionStorage() creates nothing, until a session is saved", async () => {
  await inDir(async (dir) => {
    const storage = createFileSessionStorage({ dir });
    const session = await storage.read("x".repeat(22));
    assertEquals(await storage.save(session), null);
    await storage.sweep?.();
    await assertRejects(() => Deno.stat(dir), Deno.errors.NotFound);
  });
});

Deno.test("read() deletes nothing, when the clock is ahead", async () => {
  await inDir(async (dir) => {
    let now = 1_000_000;
    const storage = createFileSessionStorage({ dir, now: () => now });
    const session = await storage.read(null);
    session.set("text", "here");
    const value = await storage.save(session, { maxAge: 60 });
    now += 3_600_000;
    assertEquals((await storage.read(value)).size, 0);
    now -= 3_600_000;
    assertEquals((await storage.read(value)).get("text"), "here");
  });
});

/** How a process learns of its directory. */
const beginnings: Record<
  string,
  (engine: FileEngine, dir: string) => Promise<unknown>
> = {
  "has created a record": (engine) => engine.write(KEY, "old", { expires }),
  "has read nothing": async (engine, dir) => {
    await Deno.mkdir(dir);
    await engine.read(KEY);
  },
  "has read a record": async (engine, dir) => {
    await engineIn(dir).write(KEY, "old", { expires });
    await engine.read(KEY);
  },
  "has swept": async (engine, dir) => {
    await Deno.mkdir(dir);
    await engine.sweep(0);
  },
};
const ifVersion = `1-${"x".repeat(16)}`;
const operations: Record<string, (engine: FileEngine) => Promise<unknown>> = {
  "read()": (engine) => engine.read(KEY),
  "write()": (engine) => engine.write(KEY, "new", { expires }),
  "write() of a new record": (engine) =>
    engine.write(KEY, "new", { expires, ifVersion: null }),
  "write() of a version": (engine) =>
    engine.write(KEY, "new", { expires, ifVersion }),
  "touch()": (engine) => engine.touch(KEY, expires),
  "delete()": (engine) => engine.delete(KEY),
  "delete() of a version": (engine) => engine.delete(KEY, { ifVersion }),
  "sweep()": (engine) => engine.sweep(0),
};
for (const [beginning, begin] of Object.entries(beginnings)) {
  Deno.test(`FileEngine fails until its directory is there again, when the process ${beginning}`, async () => {
    for (const [name, operation] of Object.entries(operations)) {
      await inDir(async (dir) => {
        const engine = engineIn(dir);
        await begin(engine, dir);
        await Deno.remove(dir, { recursive: true });
        await assertRejects(
          () => operation(engine),
          Error,
          "does not exist",
          name,
        );
        for (const [other, call] of Object.entries(operations)) {
          await assertRejects(
            () => call(engine),
            Error,
            "the directory of the sessions does not exist",
            `${name}, then ${other}`,
          );
        }
        await assertRejects(
          () => Deno.stat(dir),
          Deno.errors.NotFound,
          undefined,
          name,
        );
        await Deno.mkdir(dir);
        await operation(engine);
        assertExists(await engine.write(KEY, "new", { expires }), name);
        assertEquals((await engine.read(KEY))?.value, "new", name);
      });
    }
  });
}

Deno.test("write() does not create the directory anew, when it disappears during the write", async () => {
  await inDir(async (dir) => {
    let armed = false;
    const fs = fsWith(async (name) => {
      if (armed && name === "mkdir") {
        await Deno.remove(dir, { recursive: true }).catch(() => {});
      }
    });
    const engine = withFs(fs, () => engineIn(dir));
    await engine.write(KEY, "old", { expires });
    armed = true;
    const other = "x".repeat(43);
    await assertRejects(
      () => engine.write(other, "new", { expires }),
      Error,
      "the directory of the sessions does not exist",
    );
    await assertRejects(() => Deno.stat(dir), Deno.errors.NotFound);
  });
});

Deno.test("save() fails with store-failed, when the directory of a process that only creates sessions disappears", async () => {
  await inDir(async (dir) => {
    const storage = createFileSessionStorage({ dir });
    const save = async () => {
      const session = await storage.read(null);
      session.set("text", "here");
      return await storage.save(session);
    };
    await save();
    await Deno.remove(dir, { recursive: true });
    const error = await assertRejects(save, SessionError);
    assertEquals(error.code, "store-failed");
    await assertRejects(() => Deno.stat(dir), Deno.errors.NotFound);
  });
});

Deno.test("createFileSessionStorage() returns sessions, when the process has restarted", async () => {
  await inDir(async (dir) => {
    const { value } = await keep(dir);
    const restarted = createFileSessionStorage({ dir });
    assertEquals((await restarted.read(value)).get("text"), "here");
  });
});

Deno.test({
  name: "createFileSessionStorage() keeps everything private to its user",
  ignore: windows,
  async fn() {
    await inDir(async (dir) => {
      const { folder, storage, value } = await keep(dir);
      const session = await storage.read(value);
      session.set("more", true);
      await storage.save(session);
      const paths = (await namesIn(dir)).filter((n) => !n.includes("*"));
      assertEquals(paths.length, 2);
      for (const path of [".", ...paths]) {
        const { mode = 0 } = await Deno.stat(`${dir}/${path}`);
        assertEquals((mode ?? 0) & 0o777, 0o700, rowName(path));
      }
      for (const { name } of Deno.readDirSync(folder)) {
        const { mode } = await Deno.stat(`${folder}/${name}`);
        assertEquals((mode ?? 0) & 0o777, 0o600, name);
      }
    });
  },
});

Deno.test("write() refuses a version, when others have replaced it twice", async () => {
  await inDir(async (dir) => {
    const engine = engineIn(dir);
    const first = await engine.write(KEY, "1", { expires, ifVersion: null });
    const second = await engine.write(KEY, "2", { expires, ifVersion: first });
    const third = await engine.write(KEY, "3", { expires, ifVersion: second });
    assertEquals(
      await engine.write(KEY, "late", { expires, ifVersion: first }),
      null,
    );
    assertEquals(await engine.delete(KEY, { ifVersion: second }), false);
    assertEquals(await engine.read(KEY), {
      value: "3",
      version: third,
      expires,
    });
  });
});

Deno.test("write() refuses a version, when its record was deleted and created again", async () => {
  await inDir(async (dir) => {
    const engine = engineIn(dir);
    const old = await engine.write(KEY, "old", { expires });
    await engine.delete(KEY);
    await engine.write(KEY, "new", { expires, ifVersion: null });
    const options = { expires, ifVersion: old };
    assertEquals(await engine.write(KEY, "late", options), null);
    assertEquals(await engine.delete(KEY, { ifVersion: old }), false);
    assertEquals((await engine.read(KEY))?.value, "new");
  });
});

Deno.test("read() returns the newest record, when another process replaces it meanwhile", async () => {
  await inDir(async (dir) => {
    const fs = process.getBuiltinModule("node:fs");
    const folder = `${dir}/kk/${KEY}`;
    const first = await engineIn(dir).write(KEY, "1", { expires });
    const second = `2-${"x".repeat(16)}`;
    let missed = 0;
    let replaced = false;
    const racing = {
      ...fs,
      readdirSync(path: string, options: { withFileTypes: true }) {
        const entries = fs.readdirSync(path, options);
        return missed++ > 0
          ? entries
          : entries.filter(({ name }) => !name.includes("@"));
      },
      readFileSync(...args: Parameters<typeof fs.readFileSync>) {
        if (!replaced) {
          fs.writeFileSync(`${folder}/${second}`, "2");
          const from = `${folder}/${first}@${expires}`;
          fs.renameSync(from, `${folder}/${second}@${expires}`);
          fs.unlinkSync(`${folder}/${first}`);
        }
        replaced = true;
        return fs.readFileSync(...args);
      },
    } as unknown as typeof fs;
    const engine = withFs(racing, () => engineIn(dir));
    assertEquals(await engine.read(KEY), {
      value: "2",
      version: second,
      expires,
    });
  });
});

Deno.test("touch() moves the instant and leaves version and content, when there is a record", async () => {
  await inDir(async (dir) => {
    const engine = engineIn(dir);
    await engine.touch(KEY, 1);
    const version = await engine.write(KEY, "text", { expires });
    for (const at of [2_000.5, 1e21, Infinity, -1]) {
      await engine.touch(KEY, at);
      assertEquals(await engine.read(KEY), {
        value: "text",
        version,
        expires: at,
      }, rowName(at));
    }
    assertExists(
      await engine.write(KEY, "more", { expires, ifVersion: version }),
    );
  });
});

Deno.test("sweep() removes expired records and files that were left behind, and nothing else", async () => {
  await inDir(async (dir) => {
    const engine = engineIn(dir);
    const key = (letter: string) => letter.repeat(43);
    await engine.write(key("a"), "live", { expires });
    await engine.write(key("b"), "over", { expires: 1_000 });
    await engine.write(key("c"), "later", { expires: 1_001 });
    const live = `${dir}/aa/${key("a")}`;
    const name = "x".repeat(16);
    // A content whose write has failed, and one whose writer may still rename the head.
    await Deno.writeTextFile(`${live}/1-${name}`, "");
    await Deno.writeTextFile(`${live}/2-${name}`, "");
    await Deno.mkdir(`${dir}/aa/.new-1`);
    await Deno.writeTextFile(`${dir}/aa/.new-1/1-${name}`, "");
    await Deno.mkdir(`${dir}/aa/.old-1`);
    await Deno.mkdir(`${dir}/aa/${key("e")}`);
    await Deno.mkdir(`${dir}/aa/${key("f")}`);
    await Deno.writeTextFile(`${dir}/aa/${key("f")}/1-${name}`, "");
    await Deno.mkdir(`${dir}/aa/theirs`);
    await Deno.mkdir(`${dir}/theirs/${key("g")}`, { recursive: true });
    await Deno.writeTextFile(`${dir}/theirs.txt`, "");

    const counts = [engine.sweep(1_000), engine.sweep(1_000)];
    assertEquals(await Promise.all(counts), [1, 0]);

    assertEquals(
      await namesIn(dir),
      [
        "aa",
        `aa/${key("a")}`,
        `aa/${key("a")}/1-*`,
        `aa/${key("a")}/1-*@2000`,
        `aa/${key("a")}/2-*`,
        "aa/theirs",
        "bb",
        "cc",
        `cc/${key("c")}`,
        `cc/${key("c")}/1-*`,
        `cc/${key("c")}/1-*@1001`,
        "theirs",
        `theirs/${key("g")}`,
        "theirs.txt",
      ].sort(),
    );
    assertEquals((await engine.read(key("a")))?.value, "live");
  });
});

Deno.test("sweep() does not make a write fail, when it removes a record that is being created", async () => {
  await inDir(async (dir) => {
    const sweeper = engineIn(dir);
    let swept = 0;
    const fs = fsWith(async (step) => {
      if (swept < 3 && (step === "sync" || step === "rename")) {
        swept++;
        await sweeper.sweep(0);
      }
    });
    const engine = withFs(fs, () => engineIn(dir));
    assertExists(await engine.write(KEY, "text", { expires }));
    assertEquals(swept, 3);
    assertEquals((await engine.read(KEY))?.value, "text");
    assertEquals((await namesIn(dir)).length, 4);
  });
});

Deno.test("save() starts a sweep and close() waits for it, when ten minutes have passed", async () => {
  await inDir(async (dir) => {
    let now = 1_000_000;
    const errors: unknown[] = [];
    let broken = false;
    let sweeps = 0;
    const fs = fsWith((step) => {
      if (step !== "readdir") return;
      sweeps++;
      if (broken) throw new Error("broken");
    });
    const storage = withFs(fs, () =>
      createFileSessionStorage({
        dir,
        idleTimeout: 60,
        now: () => now,
        onEvent: ({ cause }) => cause && errors.push(cause),
      }));
    const save = async () => {
      const session = await storage.read(null);
      session.set("text", "here");
      await storage.save(session);
    };
    await save();
    now += 599_999;
    await save();
    await storage.close?.();
    assertEquals(sweeps, 0);
    now += 1;
    await Promise.all([save(), save()]);
    await storage.close?.();
    assert(sweeps > 0);
    // The first has expired, but the clock may be ahead.
    assertEquals((await foldersIn(dir)).length, 4);
    const before = sweeps;
    now += 3_059_999;
    await save();
    await storage.close?.();
    assertEquals((await foldersIn(dir)).length, 5);
    assert(sweeps > before);
    now += 600_000;
    await save();
    await storage.close?.();
    assertEquals((await foldersIn(dir)).length, 4);
    const last = sweeps;
    await save();
    await storage.close?.();
    assertEquals(sweeps, last);
    broken = true;
    now += 600_000;
    await save();
    await storage.close?.();
    assertEquals(errors.map(String), ["Error: broken"]);
  });
});
