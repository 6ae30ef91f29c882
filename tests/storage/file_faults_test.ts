import { createFileSessionStorage, SessionError } from "@satchel/session";
import {
  assert,
  assertEquals,
  assertExists,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import process from "node:process";
import { hashId } from "../../core/keys.ts";
import type { FileEngine } from "../../storage/engines/file/engine.ts";
import { rowName } from "../_row.ts";
import {
  engineIn,
  expires,
  finish,
  fsWith,
  inDir,
  keep,
  KEY,
  namesIn,
  rethrow,
  windows,
  withFs,
  writer,
} from "./_file_support.ts";

Deno.test("write() makes each change once, when four processes change one record", async () => {
  await inDir(async (dir) => {
    const { value, storage } = await keep(dir);
    const names = ["a", "b"];
    await finish([
      ...names.map(() => writer("count", dir, KEY, "", 250)),
      ...names.map((name) => writer("keys", dir, value, name, 60)),
    ]);
    assertEquals((await engineIn(dir).read(KEY))?.value, "500");
    const session = await storage.read(value);
    assertEquals(session.size, 121);
    for (const name of names) assertEquals(session.get(`${name}59`), 59, name);
    const left = await namesIn(`${dir}/kk/${KEY}`);
    assertEquals(left.length, 2);
  });
});

Deno.test("write() leaves the old record or the new one, when its process is killed", async () => {
  await inDir(async (dir) => {
    const engine = engineIn(dir);
    let random = 1;
    for (let round = 0; round < 25; round++) {
      const child = writer("churn", dir, KEY, "", round * 1000);
      random = random * 48271 % 2147483647;
      // Reads a random part of its output and lets other tasks run, which is as good as waiting at random.
      const reader = child.stdout.getReader();
      for (let lines = 0; lines < random % 4 + 1; lines++) await reader.read();
      for (let turns = random % 50; turns > 0; turns--) await turn();
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;

      const record = await engine.read(KEY);
      if (record) {
        const [before, text, after] = record.value.split(":");
        assertEquals(after, before, rowName(round));
        assertEquals(text?.length, 20_000, rowName(round));
        assert(Number(before) >= round * 1000, rowName(round));
      }
      assertExists(
        await engine.write(KEY, "0::0", { expires }),
        rowName(round),
      );
      assertEquals((await engine.read(KEY))?.value, "0::0", rowName(round));
    }
    await engine.sweep(0);
    assertEquals(await namesIn(`${dir}/kk/${KEY}`).then((n) => n.length), 2);
    assertEquals((await namesIn(dir)).filter((n) => n.includes("/.")), []);
  });
});

Deno.test({
  name:
    "write() leaves a copy of the directory whole, unless tar reports a file that has disappeared",
  ignore: windows,
  async fn() {
    await inDir(async (dir) => {
      const engine = engineIn(dir);
      const keys = [..."abcdefgh"].map((letter) => letter.repeat(43));
      let writes = 0;
      const text = "x".repeat(300_000);
      const replaceAll = async () => {
        for (const key of keys) {
          await engine.write(key, `${++writes}:${text}:${writes}`, { expires });
        }
      };
      /** Copies the directory. A full pipe stops `tar` until `between` has written. */
      const copy = async (name: string, between: () => Promise<void>) => {
        const to = `${dir}/../${name}`;
        await Deno.mkdir(to);
        const [tar, untar] = [["-cf", "-", "-C", dir, "."], [
          "-xf",
          "-",
          "-C",
          to,
        ]]
          .map((args) =>
            new Deno.Command("tar", {
              args,
              stdin: "piped",
              stdout: "piped",
              stderr: "null",
            }).spawn()
          );
        assert(tar && untar);
        await tar.stdin.close();
        await untar.stdout.cancel();
        const pipe = untar.stdin.getWriter();
        for await (const part of tar.stdout) {
          await pipe.write(part);
          await between();
        }
        await pipe.close();
        assert((await untar.status).success, name);
        const copied = engineIn(to);
        const missing = [];
        for (const key of keys) {
          const value = (await copied.read(key))?.value;
          if (!value) {
            missing.push(key[0]);
            continue;
          }
          const [before, copiedText, after] = value.split(":");
          assertEquals(copiedText, text, name);
          assertEquals(after, before, name);
        }
        return { success: (await tar.status).success, missing };
      };

      await replaceAll();
      const during = await copy("during", replaceAll);
      if (during.success) assertEquals(during.missing, []);
      const after = await copy("after", async () => {});
      assertEquals(after, { success: true, missing: [] });
    });
  },
});

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

const changes: Record<string, (engine: FileEngine) => Promise<unknown>> = {
  "write()": (engine) => engine.write(KEY, "new", { expires }),
  "touch()": (engine) => engine.touch(KEY, expires + 1),
  "delete()": (engine) => engine.delete(KEY),
  "sweep()": (engine) => engine.sweep(expires),
};
for (const [name, change] of Object.entries(changes)) {
  for (const old of name === "write()" ? ["old", null] : ["old"]) {
    Deno.test(`${name} leaves a whole record, when it is interrupted at any step (${old ?? "no"} record before)`, async () => {
      let steps = 0;
      for (let last = 0; last <= steps; last++) {
        await inDir(async (dir) => {
          const engine = engineIn(dir);
          if (old) await engine.write(KEY, old, { expires });
          let step = 0;
          const dying = fsWith(async (_, file) => {
            if (step++ < last) return;
            if (step - 1 === last) await file?.writeFile("ne");
            throw new Error("killed");
          });
          const victim = withFs(dying, () => engineIn(dir, () => {}));
          const done = await change(victim).then(() => true, () => false);
          if (!done || step > last) steps = last + 1;

          const value = (await engine.read(KEY))?.value ?? null;
          const outcomes = name === "write()"
            ? [old, "new"]
            : name === "touch()"
            ? [old]
            : [old, null];
          assert(outcomes.includes(value), rowName(last));
          if (done) assertEquals(value, outcomes.at(-1), rowName(last));
          assertExists(
            await engine.write(KEY, "next", { expires }),
            rowName(last),
          );
          assertEquals((await engine.read(KEY))?.value, "next", rowName(last));
          await engine.sweep(0);
          assertEquals((await namesIn(dir)).length, 4, rowName(last));
          await engine.delete(KEY);
          assertEquals(await engine.read(KEY), null, rowName(last));
        });
      }
      assert(steps > 0);
    });
  }
}

for (const step of ["open", "write", "sync", "rename"]) {
  Deno.test(`save() fails and the record stays, when the disk fails at ${step}`, async () => {
    await inDir(async (dir) => {
      const { value } = await keep(dir);
      const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
      const events: unknown[] = [];
      const failing = fsWith((name) => {
        if (name === step) throw full;
      });
      const storage = withFs(failing, () =>
        createFileSessionStorage({
          dir,
          onEvent: ({ cause }) => events.push(cause),
        }));
      for (const from of [value, null]) {
        const session = await storage.read(from);
        session.set("text", "changed");
        const error = await assertRejects(
          () => storage.save(session),
          SessionError,
          "Cannot save session: the engine failed",
          rowName(from),
        );
        assertEquals(error.code, "store-failed", rowName(from));
        assertEquals(error.cause, full, rowName(from));
      }
      assertEquals(events, [full, full]);
      const whole = createFileSessionStorage({ dir });
      assertEquals((await whole.read(value)).get("text"), "here");
      const names = await namesIn(dir);
      assertEquals(names.filter((name) => name.includes("/.")), []);
      assertEquals(names.filter((name) => name.includes("*")).length, 2);
    });
  });
}

Deno.test("save() succeeds and reports the error, when the old content cannot be removed", async () => {
  await inDir(async (dir) => {
    const { value } = await keep(dir);
    const busy = new Error("busy");
    const events: unknown[] = [];
    const failing = fsWith((name) => {
      if (name === "unlink") throw busy;
    });
    const storage = withFs(failing, () =>
      createFileSessionStorage({
        dir,
        onEvent: (event) => events.push(event),
      }));
    const session = await storage.read(value);
    session.set("text", "changed");
    assertEquals(await storage.save(session), value);
    assertEquals(events, [
      { type: "engine-error", cause: busy },
      { type: "committed", session: hashId(value) },
    ]);
    assertEquals((await storage.read(value)).get("text"), "changed");
  });
});

Deno.test("save() fails with the cause, when the directory is a file", async () => {
  await inDir(async (dir) => {
    await Deno.writeTextFile(dir, "");
    const storage = createFileSessionStorage({ dir });
    const session = await storage.read(null);
    session.set("text", "here");
    const error = await assertRejects(
      () => storage.save(session),
      SessionError,
    );
    assertEquals(error.code, "store-failed");
    assertInstanceOf(error.cause, Error);
  });
});

Deno.test("save() succeeds, when another request creates the directory between two looks at it", async () => {
  await inDir(async (dir) => {
    const fs = process.getBuiltinModule("node:fs");
    let looks = 0;
    const lstatSync = (...args: Parameters<typeof fs.lstatSync>) => {
      const stats = fs.lstatSync(...args);
      if (args[0] === `${dir}/.` && looks++ === 0) fs.mkdirSync(dir);
      return stats;
    };
    const racing = { ...fs, lstatSync } as typeof fs;
    const storage = withFs(racing, () => createFileSessionStorage({ dir }));
    const session = await storage.read(null);
    session.set("text", "here");
    const value = await storage.save(session);
    assertEquals((await storage.read(value)).get("text"), "here");
    assert(looks > 1);
  });
});

Deno.test("write() succeeds, when another process removes the folder that stopped a rename", async () => {
  await inDir(async (dir) => {
    let runs = 0;
    const racing = fsWith((name) => {
      // The rest of a deleted record has been removed before the next look.
      if (name !== "rename" || runs++ > 0) return;
      throw Object.assign(new Error("not empty"), { code: "ENOTEMPTY" });
    });
    const engine = withFs(racing, () => engineIn(dir));
    assertExists(await engine.write(KEY, "text", { expires }));
    assertEquals((await engine.read(KEY))?.value, "text");
    assertEquals(runs, 2);
  });
});

Deno.test("read() rejects instead of returning a new session, when the disk fails", async () => {
  await inDir(async (dir) => {
    const { value } = await keep(dir);
    const fs = process.getBuiltinModule("node:fs");
    const failure = Object.assign(new Error("i/o error"), { code: "EIO" });
    for (const name of ["lstatSync", "readdirSync", "readFileSync"]) {
      const failing = { ...fs, [name]: () => rethrow(failure) };
      const storage = withFs(failing, () => createFileSessionStorage({ dir }));
      const error = await assertRejects(
        () => storage.read(value),
        SessionError,
        undefined,
        name,
      );
      assertEquals(error.code, "store-failed", name);
      assertEquals(error.cause, failure, name);
    }
  });
});
