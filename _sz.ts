import { createMemorySessionStorage, withSession } from "./mod.ts";
globalThis.x = [createMemorySessionStorage, withSession];
