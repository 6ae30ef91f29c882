/**
 * Storages that are right, whose engine is in another thread, or behind a port.
 */
import type { Engine } from "../../../mod.ts";
import { memoryEngine } from "../../engines/_memory.ts";
import { CLAIMS } from "../mutants/_mutant.ts";
import { odd, type OddTarget, type Plain, plain } from "./_build.ts";

/** An engine that answers from elsewhere. */
interface Far {
  call(method: Method, args: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

type Method = "read" | "write" | "delete" | "touch";

/** Storages whose engine is elsewhere. */
export const wire: readonly OddTarget[] = [
  far("an engine in a thread of its own", inThread),
  far("an engine behind HTTP", behindHttp),
];

/** All instances use one engine, with the namespace before each key. */
function far(name: string, connect: () => Far): OddTarget {
  let connected: Far | undefined;
  return odd(name, {
    claims: CLAIMS.filter((claim) => claim !== "sweep"),
    engine({ guarantees }, { namespace }): Engine {
      const { call } = connected ??= connect();
      const one = <T>(method: Method, key: string, ...args: unknown[]) =>
        call(method, [`${namespace}/${key}`, ...args]) as Promise<T>;
      return {
        guarantees,
        read: (key) => one("read", key),
        write: (key, ...args) => one("write", key, ...args),
        delete: (key, ...args) => one("delete", key, ...args),
        touch: (key, ...args) => one("touch", key, ...args),
      };
    },
    async end() {
      await connected?.close();
      connected = undefined;
    },
  });
}

function inThread(): Far {
  const url = new URL("./_thread.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const waiting = new Map<number, (result: unknown) => void>();
  let calls = 0;
  worker.onmessage = ({ data: { id, result } }) => {
    waiting.get(id)?.(result);
    waiting.delete(id);
  };
  return {
    call: (method, args) =>
      new Promise((resolve) => {
        waiting.set(++calls, resolve);
        worker.postMessage({ id: calls, method, args });
      }),
    close: async () => worker.terminate(),
  };
}

function behindHttp(): Far {
  const engine = memoryEngine(100_000, Date.now, () => {});
  const methods: Plain = plain(engine);
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { method, args } = await request.json() as {
        method: Method;
        args: unknown[];
      };
      const call = methods[method] as (
        ...args: unknown[]
      ) => Promise<unknown>;
      return Response.json(await call(...args));
    },
  );
  const client = Deno.createHttpClient({});
  return {
    async call(method, args) {
      const response = await fetch(`http://127.0.0.1:${server.addr.port}`, {
        client,
        method: "POST",
        body: JSON.stringify({ method, args }),
      });
      if (!response.ok) throw new Error(`the server said ${response.status}`);
      return await response.json();
    },
    async close() {
      client.close();
      await server.shutdown();
    },
  };
}
