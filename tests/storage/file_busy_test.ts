import { createSessionStorage, SessionError } from "@satchel/session";
import {
  assert,
  assertEquals,
  assertExists,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import process from "node:process";
import type { FileEngine } from "../../storage/engines/file/engine.ts";
import { rowName } from "../_row.ts";
import {
  busy,
  engineIn,
  expires,
  fsBusy,
  inDir,
  KEY,
  namesIn,
  rethrow,
  withFs,
} from "./_file_support.ts";

/** Calls of an engine on a record "old", and the value that is stored afterwards. */
const calls: Record<
  string,
  {
    old: string | null;
    next: string | null;
    call(engine: FileEngine, ifVersion: unknown): Promise<unknown>;
  }
> = {
  "write() of a new record": {
    old: null,
    next: "new",
    call: async (engine, ifVersion) =>
      assertExists(await engine.write(KEY, "new", { expires, ifVersion })),
  },
  "write()": {
    old: "old",
    next: "new",
    call: async (engine, ifVersion) =>
      assertExists(await engine.write(KEY, "new", { expires, ifVersion })),
  },
  "touch()": {
    old: "old",
    next: "old",
    call: async (engine, ifVersion) => {
      assert(await engine.touch(KEY, expires + 1, { ifVersion }));
      assertEquals((await engine.read(KEY))?.expires, expires + 1);
    },
  },
  "delete()": {
    old: "old",
    next: null,
    call: async (engine) => assert(await engine.delete(KEY)),
  },
  "read()": {
    old: "old",
    next: "old",
    call: async (engine) =>
      assertEquals((await engine.read(KEY))?.value, "old"),
  },
  "sweep()": {
    old: "old",
    next: null,
    call: (engine) => engine.sweep(expires),
  },
};

for (const [name, { old, next, call }] of Object.entries(calls)) {
  Deno.test(`${name} succeeds, when any one step fails because a file is in use`, async () => {
    for (const when of ["before", "after"] as const) {
      let steps = Infinity;
      const failed = new Set<string>();
      for (let last = 0; last < steps; last++) {
        await inDir(async (dir) => {
          const code = ["EPERM", "EBUSY", "EACCES"][last % 3] ?? "";
          const row = rowName([when, last, code]);
          const first = engineIn(dir);
          const version = old && await first.write(KEY, old, { expires });
          let step = 0;
          const fs = fsBusy((name) => {
            if (step++ !== last) return undefined;
            failed.add(name);
            return when;
          }, code);
          const engine = withFs(fs, () => engineIn(dir));
          await call(engine, version);
          if (step <= last) steps = last;

          const other = engineIn(dir);
          assertEquals((await other.read(KEY))?.value ?? null, next, row);
          await other.sweep(0);
          const left = (await namesIn(dir)).length;
          assertEquals(left, next === null ? 1 : 4, row);
        });
      }
      assert(steps > 2, when);
      assert(failed.size > 1, when);
    }
  });
}

Deno.test("save() and a logout succeed without an event, when one rename and one removal fail because a file is in use", async () => {
  for (const code of ["EPERM", "EBUSY", "EACCES"]) {
    await inDir(async (dir) => {
      const failed: string[] = [];
      const fs = fsBusy((name) => {
        const once = ["rename", "unlink"].includes(name) &&
          !failed.includes(name);
        if (once) failed.push(name);
        return once ? "before" : undefined;
      }, code);
      const events: string[] = [];
      const storage = createSessionStorage({
        engine: withFs(fs, () => engineIn(dir)),
        onEvent: ({ type }) => events.push(type),
      });
      const session = await storage.read(null);
      session.set("user", "ann");
      const value = await storage.save(session);
      const again = await storage.read(value);
      again.destroy();
      assertEquals(await storage.save(again), "", code);
      assertEquals((await storage.read(value)).size, 0, code);
      assertEquals(failed, ["rename", "unlink"], code);
      assert(!events.includes("engine-error"), code);
    });
  }
});

Deno.test("save() fails with the cause after a little more than a second, when a file stays in use", async () => {
  for (const step of ["open", "rename", "unlink", "lstatSync"]) {
    await inDir(async (dir) => {
      const old = engineIn(dir);
      const kept = createSessionStorage({ engine: old });
      const session = await kept.read(null);
      session.set("text", "here");
      const value = await kept.save(session);

      let broken = false;
      const fs = fsBusy(
        (name) => broken && name === step ? "before" : undefined,
        "EACCES",
      );
      let waited = 0;
      const engine = withFs(
        fs,
        () => engineIn(dir, rethrow, async (ms) => void (waited += ms)),
      );
      const storage = createSessionStorage({ engine });
      const next = await storage.read(value);
      if (step === "unlink") next.destroy();
      else next.set("text", "changed");
      broken = true;
      const error = await assertRejects(
        () => storage.save(next),
        SessionError,
        undefined,
        step,
      );
      assertEquals(error.code, "store-failed", step);
      assertInstanceOf(error.cause, Error, step);
      assertEquals(error.cause.message, busy("").message, step);
      assert(waited > 1_000 && waited < 2_000, `${step}: ${waited}`);
      assertEquals((await kept.read(value)).get("text"), "here", step);
      await old.sweep(0);
      assertEquals((await namesIn(dir)).length, 4, step);
    });
  }
});

Deno.test("sweep() waits for one record only and removes the others, when files stay in use", async () => {
  await inDir(async (dir) => {
    const keys = ["a", "b", "c", "d"].map((letter) => letter.repeat(43));
    for (const key of keys) await engineIn(dir).write(key, "", { expires });
    const fs = fsBusy(
      (name, [path]) =>
        name === "unlink" && /[/](aa|cc)[/]/.test(String(path))
          ? "before"
          : undefined,
      "EPERM",
    );
    let waited = 0;
    const engine = withFs(
      fs,
      () => engineIn(dir, rethrow, async (ms) => void (waited += ms)),
    );
    const error = await assertRejects(
      () => engine.sweep(expires),
      AggregateError,
    );
    assertEquals(error.errors.length, 2);
    assert(waited < 2_000);
    const left = [];
    for (const key of keys) {
      if (await engineIn(dir).read(key)) left.push(key[0]);
    }
    assertEquals(left, ["a", "c"]);
  });
});

/** What another process does at the moment when a rename fails. */
const meanwhile: Record<
  string,
  {
    when: "before" | "after";
    act(other: FileEngine, version: unknown): Promise<unknown>;
    result: "null" | "unknown";
    value: string | null;
  }
> = {
  "another process wrote first": {
    when: "before",
    act: (other, ifVersion) =>
      other.write(KEY, "theirs", { expires, ifVersion }),
    result: "null",
    value: "theirs",
  },
  "another process deleted the record first": {
    when: "before",
    act: (other, ifVersion) => other.delete(KEY, { ifVersion }),
    result: "null",
    value: null,
  },
  "it happened and another process has already replaced it": {
    when: "after",
    act: async (other) => {
      const seen = await other.read(KEY);
      assertEquals(seen?.value, "ours");
      await other.write(KEY, "ours, theirs", {
        expires,
        ifVersion: seen?.version,
      });
    },
    result: "unknown",
    value: "ours, theirs",
  },
};
for (const [what, { when, act, result, value }] of Object.entries(meanwhile)) {
  Deno.test(`write() reports neither success nor a conflict that was not, when its rename fails and ${what}`, async () => {
    await inDir(async (dir) => {
      const other = engineIn(dir);
      const ifVersion = await other.write(KEY, "old", { expires });
      const real = process.getBuiltinModule("node:fs");
      let renames = 0;
      const fs = fsBusy(async (name, [from, to]) => {
        if (name !== "rename" || renames++ > 0) return undefined;
        if (when === "after") await real.promises.rename(`${from}`, `${to}`);
        await act(other, ifVersion);
        return "before";
      }, "EPERM");
      const engine = withFs(fs, () => engineIn(dir));
      const write = () => engine.write(KEY, "ours", { expires, ifVersion });
      if (result === "null") assertEquals(await write(), null);
      else {
        const error = await assertRejects(write, Error, "Cannot find out");
        assertEquals((error.cause as Error).message, busy("").message);
      }
      assertEquals((await other.read(KEY))?.value ?? null, value);
      await other.sweep(0);
      assertEquals((await namesIn(dir)).length, value === null ? 1 : 4);
    });
  });
}

Deno.test("write() does not wait, when Windows refuses to rename a folder to a name that is taken", async () => {
  await inDir(async (dir) => {
    const other = engineIn(dir);
    let raced = false;
    const fs = fsBusy(async (name, [, to]) => {
      if (name !== "rename" || raced) return undefined;
      raced = true;
      assertEquals(to, `${dir}/kk/${KEY}`);
      assertExists(await other.write(KEY, "theirs", { expires }));
      return "before";
    }, "EPERM");
    const never = () => Promise.reject(new Error("waited"));
    const engine = withFs(fs, () => engineIn(dir, rethrow, never));
    const options = { expires, ifVersion: null };
    assertEquals(await engine.write(KEY, "ours", options), null);
    assertEquals((await other.read(KEY))?.value, "theirs");
  });
});

Deno.test("write() makes each change once, when renames fail at random before or after their effect", async () => {
  await inDir(async (dir) => {
    let random = 7;
    const below = (end: number) => (random = random * 48271 % 2147483647) % end;
    const fs = fsBusy((name) => {
      if (name !== "rename" && name !== "unlink") return undefined;
      const kind = below(6);
      return kind === 0 ? "before" : kind === 1 ? "after" : undefined;
    }, "EBUSY");
    let written = 0;
    let unknown = 0;
    await Promise.all(Array.from({ length: 4 }, async () => {
      const engine = withFs(fs, () => engineIn(dir));
      for (let turn = 0; turn < 60; turn++) {
        const record = await engine.read(KEY);
        const value = String(Number(record?.value ?? 0) + 1);
        const ifVersion = record?.version ?? null;
        try {
          if (await engine.write(KEY, value, { expires, ifVersion })) written++;
        } catch (error) {
          assert(String(error).includes("Cannot find out"), String(error));
          unknown++;
        }
      }
    }));
    const count = Number((await engineIn(dir).read(KEY))?.value);
    assert(written > 0);
    assert(count >= written, `${count} of ${written}`);
    assert(count <= written + unknown, `${count} of ${written} + ${unknown}`);
  });
});
