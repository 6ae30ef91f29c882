import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  engineIn,
  expires,
  inDir,
  keep,
  type Kept,
  KEY,
  namesIn,
  windows,
} from "./_file_support.ts";

/** Replaces a record's file or folder with something else. */
const foreign: Record<string, (kept: Kept, outside: string) => unknown> = {
  "a link for its content": ({ content }, outside) => {
    Deno.renameSync(content, `${outside}/moved`);
    Deno.symlinkSync(`${outside}/moved`, content);
  },
  "a link for its folder": ({ folder }, outside) => {
    Deno.renameSync(folder, `${outside}/moved`);
    Deno.symlinkSync(`${outside}/moved`, folder);
  },
  "a link for the folder around it": ({ folder }, outside) => {
    const shard = folder.slice(0, folder.lastIndexOf("/"));
    Deno.renameSync(shard, `${outside}/moved`);
    Deno.symlinkSync(`${outside}/moved`, shard);
  },
  "a link around it, and a file for its folder": ({ folder }, outside) => {
    const shard = folder.slice(0, folder.lastIndexOf("/"));
    Deno.removeSync(shard, { recursive: true });
    Deno.mkdirSync(`${outside}/shard`);
    Deno.writeTextFileSync(`${outside}/shard/${folder.slice(-43)}`, "theirs");
    Deno.symlinkSync(`${outside}/shard`, shard);
  },
  "a link for its head": ({ folder, content }, outside) => {
    const [head] = [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => !content.endsWith(name));
    Deno.renameSync(`${folder}/${head}`, `${outside}/moved`);
    Deno.symlinkSync(`${outside}/moved`, `${folder}/${head}`);
  },
  "links for head and content": ({ folder }, outside) => {
    Deno.mkdirSync(`${outside}/moved`);
    for (const { name } of [...Deno.readDirSync(folder)]) {
      Deno.renameSync(`${folder}/${name}`, `${outside}/moved/${name}`);
      Deno.symlinkSync(`${outside}/moved/${name}`, `${folder}/${name}`);
    }
  },
  "a pipe for its content": ({ content }) => {
    Deno.removeSync(content);
    pipe(content);
  },
  "a pipe for its folder": ({ folder }) => {
    Deno.removeSync(folder, { recursive: true });
    pipe(folder);
  },
  "a folder for its content": ({ content }, outside) => {
    Deno.removeSync(content);
    Deno.mkdirSync(content);
    Deno.symlinkSync(outside, `${content}/link`);
  },
  "a file for its folder": ({ folder }) => {
    Deno.removeSync(folder, { recursive: true });
    Deno.writeTextFileSync(folder, "[]");
  },
};

function pipe(path: string): void {
  assert(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
}

for (const [what, plant] of Object.entries(foreign)) {
  Deno.test({
    name:
      `read() returns a new session and destroy() changes nothing outside, when there is ${what}`,
    ignore: windows,
    async fn() {
      await inDir(async (dir) => {
        const kept = await keep(dir);
        const outside = `${dir}/../outside`;
        await Deno.mkdir(outside);
        await Deno.writeTextFile(`${outside}/other`, "untouched");
        plant(kept, outside);
        const before = await namesIn(outside);

        const { storage, value } = kept;
        const visitor = await storage.read(value);
        assertEquals(visitor.get("text"), undefined);
        assertEquals(visitor.size, 0);
        visitor.set("text", "new");
        const next = await storage.save(visitor);
        if (next) assertNotEquals(next, value);

        const other = await storage.read(value);
        other.destroy();
        assertEquals(await storage.save(other), "");
        await storage.sweep?.();
        const engine = engineIn(dir);
        const key = kept.folder.slice(-43);
        await engine.delete(key);
        assertEquals(await namesIn(outside), before);
      });
    },
  });
}

const damages: Record<string, (text: string) => string> = {
  "truncated": (text) => text.slice(0, text.length / 2),
  "emptied": () => "",
  "edited": (text) => text.replace("[2,", "[1,"),
  "overwritten": () => "\0\xff".repeat(1000),
};
for (const [how, damage] of Object.entries(damages)) {
  Deno.test(`read() returns a new session and reports it, when the record was ${how}`, async () => {
    await inDir(async (dir) => {
      const { storage, value, content, events } = await keep(dir);
      await Deno.writeTextFile(
        content,
        damage(await Deno.readTextFile(content)),
      );
      const session = await storage.read(value);
      assertEquals(session.get("text"), undefined);
      assertEquals(events, ["corrupt-record"]);
    });
  });
}

Deno.test("read() returns a new session, when the content is missing or the head was edited", async () => {
  await inDir(async (dir) => {
    const { storage, value, content, folder, events } = await keep(dir);
    await Deno.remove(content);
    assertEquals((await storage.read(value)).get("text"), undefined);
    assertEquals(events, ["corrupt-record"]);
    for (const { name } of [...Deno.readDirSync(folder)]) {
      await Deno.rename(`${folder}/${name}`, `${folder}/${name}x`);
    }
    assertEquals((await storage.read(value)).get("text"), undefined);
    assertEquals(events, ["corrupt-record", "missing"]);
  });
});

Deno.test("read() returns new sessions, when two records were swapped", async () => {
  await inDir(async (dir) => {
    const one = await keep(dir, "one");
    const two = await keep(dir, "two");
    await Deno.rename(one.folder, `${dir}/held`);
    await Deno.rename(two.folder, one.folder);
    await Deno.rename(`${dir}/held`, two.folder);
    for (
      const [name, { storage, value, events }] of Object.entries({ one, two })
    ) {
      assertEquals(
        (await storage.read(value)).get("text"),
        undefined,
        name,
      );
      assertEquals(events, ["corrupt-record"], name);
    }
  });
});

Deno.test("delete() is final, when someone copied an older head into the folder", async () => {
  await inDir(async (dir) => {
    const engine = engineIn(dir);
    const content = await engine.write(KEY, "old", { expires });
    const copy = `${dir}/kk/${KEY}/${content}@${expires}`;
    await engine.write(KEY, "new", { expires });
    await Deno.writeTextFile(copy, "");
    assertEquals((await engine.read(KEY))?.value, "new");
    await engine.delete(KEY);
    assertEquals(await engine.read(KEY), null);
    assertEquals(await namesIn(dir), ["kk"]);
  });
});
