/** Helpers for the tests of file sessions. */
import {
  createFileSessionStorage,
  type SessionStorage,
} from "@satchel/session";
import { assert, assertEquals, assertExists } from "@std/assert";
import type * as NodeFs from "node:fs";
import process from "node:process";
import { FileEngine } from "../../storage/engines/file/engine.ts";

export const windows: boolean = Deno.build.os === "windows";
export const KEY: string = "k".repeat(43);
export const expires: number = 2_000;

export async function inDir(
  use: (dir: string) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir();
  try {
    await use(`${parent}/sessions`);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

export function engineIn(
  dir: string,
  onError: (error: unknown) => void = rethrow,
  wait: (ms: number) => Promise<void> = async () => {},
): FileEngine {
  return new FileEngine(dir, () => 0, onError, wait);
}

export function rethrow(error: unknown): never {
  throw error;
}

/** The names below a folder, sorted, without their random parts. */
export async function namesIn(dir: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(dir)) {
    names.push(entry.name);
    if (!entry.isDirectory) continue;
    for (const name of await namesIn(`${dir}/${entry.name}`)) {
      names.push(`${entry.name}/${name}`);
    }
  }
  return names.map((name) =>
    name.replace(/((?:^|[/])\d+-)[\w-]{16}(?=@|$)/, "$1*")
  ).sort();
}

export interface Kept {
  storage: SessionStorage;
  value: string;
  events: string[];
  /** The paths of the record's folder and of its content. */
  folder: string;
  content: string;
}

/** A session in files, and the storage's events. */
export async function keep(dir: string, text = "here"): Promise<Kept> {
  const before = new Set(await foldersIn(dir));
  const events: string[] = [];
  const storage = createFileSessionStorage({
    dir,
    onEvent: ({ type }) => events.push(type),
  });
  const session = await storage.read(null);
  session.set("text", text);
  const value = await storage.save(session);
  const folder = (await foldersIn(dir)).find((path) => !before.has(path));
  assert(value && folder);
  events.length = 0;
  return { storage, value, events, folder, content: contentIn(folder) };
}

export async function foldersIn(dir: string): Promise<string[]> {
  const names = await namesIn(dir).catch(() => []);
  return names.filter((n) => /^..[/].{43}$/.test(n)).map((n) => `${dir}/${n}`);
}

export function contentIn(folder: string): string {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  const name = names.find((name) => !name.includes("@"));
  assertExists(name);
  return `${folder}/${name}`;
}

/** A file system that can fail: `before` runs before each change. */
export function fsWith(
  before: (step: string, file?: NodeFs.promises.FileHandle) => unknown,
): typeof NodeFs {
  const fs = process.getBuiltinModule("node:fs");
  const handle = (file: NodeFs.promises.FileHandle) => ({
    async writeFile(text: string) {
      await before("write", file);
      await file.writeFile(text);
    },
    async sync() {
      await before("sync");
      await file.sync();
    },
    async close() {
      await file.close();
    },
  });
  const promises = new Proxy(fs.promises, {
    get: (target, name: keyof typeof fs.promises) => {
      const call = target[name] as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        await before(name);
        const result = await call.apply(target, args);
        return name === "open"
          ? handle(result as NodeFs.promises.FileHandle)
          : result;
      };
    },
  });
  return { ...fs, promises };
}

/** An error of Windows while a scanner has a file open. */
export function busy(code: string): Error {
  return Object.assign(new Error("in use"), { code });
}

const SYNCHRONOUS = ["lstatSync", "readdirSync", "readFileSync"];

/** A file system whose calls fail before their effect, or after it, as `how` decides for each of them. */
export function fsBusy(
  how: (
    name: string,
    args: unknown[],
  ) => "before" | "after" | undefined | Promise<"before" | "after" | undefined>,
  code: string,
): typeof NodeFs {
  const fs = process.getBuiltinModule("node:fs");
  type Call = (...args: unknown[]) => unknown;
  const promises = new Proxy(fs.promises, {
    get: (target, name: keyof typeof fs.promises) => {
      const call = target[name] as Call;
      return async (...args: unknown[]) => {
        const when = await how(name, args);
        if (when === "before") throw busy(code);
        const result = await call.apply(target, args);
        if (when !== "after") return result;
        if (name === "open") {
          await (result as NodeFs.promises.FileHandle).close();
        }
        throw busy(code);
      };
    },
  });
  const looks = SYNCHRONOUS.map((name) => [name, (...args: unknown[]) => {
    if (how(name, args) === "before") throw busy(code);
    return (fs[name as keyof typeof fs] as Call)(...args);
  }]);
  return { ...fs, ...Object.fromEntries(looks), promises };
}

/** Returns what `create` returns while `fs` is the platform's file system. */
export function withFs<T>(fs: typeof NodeFs | undefined, create: () => T): T {
  const original = process.getBuiltinModule;
  process.getBuiltinModule = (() => fs) as typeof original;
  try {
    return create();
  } finally {
    process.getBuiltinModule = original;
  }
}

export function writer(...args: (string | number)[]): Deno.ChildProcess {
  const script = new URL("_file_writer.ts", import.meta.url).href;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", script, ...args.map(String)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

export async function finish(children: Deno.ChildProcess[]): Promise<void> {
  const results = await Promise.all(children.map((child) => child.output()));
  assertEquals(results.map(({ code }) => code), results.map(() => 0));
}
