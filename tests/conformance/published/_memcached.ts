/** A Memcached for targets of other libraries: a prefix is a namespace, and their records can be made older. */
import { connect } from "node:net";
import type { Inspect, TestClock } from "../../../conformance/mod.ts";
import { startMemcached } from "../../engines/_servers.ts";

const { port } = await startMemcached();

/** The server's address. */
export const server: string = `127.0.0.1:${port}`;

/** Sends a command of Memcached's text protocol. Resolves with the answer, up to its last line. */
function send(command: string, last = "MN\r\n"): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => {
      // `mn` answers MN after everything before it.
      socket.write(last === "MN\r\n" ? `${command}mn\r\n` : command);
    });
    socket.setEncoding("utf8");
    socket.on("error", reject);
    socket.on("data", (text: string) => {
      answer += text;
      if (!answer.endsWith(last)) return;
      socket.destroy();
      resolve(answer.slice(0, -last.length));
    });
  });
}

/** The prefix of a namespace's keys. */
export function prefixOf(namespace: string): string {
  return `${namespace}:`;
}

async function keysOf(namespace: string): Promise<string[]> {
  const dump = await send("lru_crawler metadump all\r\n", "END\r\n");
  return [...dump.matchAll(/^key=(\S+)/gm)]
    .map(([, key = ""]) => decodeURIComponent(key))
    .filter((key) => key.startsWith(prefixOf(namespace)));
}

/** Each key is a record. */
export function inspectMemcached(namespace: string): Inspect {
  return {
    async records() {
      const records = new Map<string, string>();
      for (const key of await keysOf(namespace)) {
        const answer = await send(`mg ${key} v\r\n`);
        const value = answer.match(/^VA \d+\r\n(.*)\r\n$/s)?.[1];
        if (value !== undefined) records.set(key, value);
      }
      return records;
    },
    async write(key, text) {
      const [, left = "-1"] =
        (await send(`mg ${key} t\r\n`)).match(/t(-?\d+)/) ??
          [];
      const bytes = new TextEncoder().encode(text).length;
      await send(
        `set ${key} 0 ${Math.max(0, Number(left))} ${bytes}\r\n${text}\r\n`,
      );
    },
  };
}

/** Moves the deadlines of Memcached, which counts in seconds. */
export const memcachedClock: TestClock = {
  kind: "aged",
  async age(ms, namespace) {
    for (const key of await keysOf(namespace)) {
      const [, left] = (await send(`mg ${key} t\r\n`)).match(/ t(\d+)/) ?? [];
      if (left === undefined) continue;
      const seconds = Math.round(Number(left) - ms / 1000);
      // Memcached takes more than 30 days for a date.
      const until = seconds > 30 * 24 * 3600
        ? Math.round(Date.now() / 1000) + seconds
        : seconds;
      await send(
        seconds > 0 ? `mg ${key} T${until}\r\n` : `md ${key}\r\n`,
      );
    }
  },
};
