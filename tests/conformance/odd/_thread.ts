/// <reference lib="deno.worker" />
/** The other end of `inThread`: an engine in a thread of its own. */
import { memoryEngine } from "../../engines/_memory.ts";

type Method = "read" | "write" | "delete" | "touch";

const engine = memoryEngine(100_000, Date.now, () => {});

self.onmessage = async ({ data: { id, method, args } }: MessageEvent<{
  id: number;
  method: Method;
  args: never[];
}>) => {
  const call = engine[method].bind(engine) as (
    ...args: never[]
  ) => Promise<unknown>;
  self.postMessage({ id, result: await call(...args) });
};
