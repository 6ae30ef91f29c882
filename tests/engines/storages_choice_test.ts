/**
 * Compares the choice at the beginning of `docs/storages.md` with what the storages declare, and with the runtimes on
 * which the tests run them.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MongoEngine } from "../../examples/mongodb.ts";
import type { StorageGuarantees } from "../../mod.ts";
import { root } from "../../tools/project.ts";
import { tableUnder } from "../_markdown.ts";
import { type RowName, ROWS, type Runtime } from "../runtimes/matrix.ts";
import { everyStorage } from "./_every_storage.ts";

const DOCUMENT = "docs/storages.md";

/** What the links of the tables lead to: the storages, and their rows among the runtimes. */
const LINKS: Record<string, { storages: string[]; rows?: RowName[] }> = {
  SQL: {
    storages: ["SQLite", "PostgreSQL", "MySQL", "D1"],
    rows: ["pg", "postgresJs", "mysql2"],
  },
  D1: { storages: ["D1"], rows: ["d1"] },
  Redis: { storages: ["Redis"], rows: ["ioRedis"] },
  Upstash: { storages: ["Redis"], rows: ["upstash"] },
  DynamoDB: { storages: ["DynamoDB"], rows: ["dynamodb"] },
  Memcached: { storages: ["Memcached"] },
  Files: { storages: ["File"], rows: ["file"] },
  "Deno KV": { storages: ["Deno KV"], rows: ["denoKv"] },
  "Durable Objects": {
    storages: ["Durable Objects"],
    rows: ["durableObjects"],
  },
  "Four functions": { storages: ["Four functions"] },
  Cookie: { storages: ["Cookie"] },
  "a recipe": { storages: ["MongoDB"] },
  "an engine": { storages: ["MongoDB"] },
};

const PLATFORMS: Record<string, Runtime[]> = {
  "Servers of your own": ["deno", "bun", "node20", "node"],
  "Cloudflare Workers": ["workers"],
  "Deno Deploy": ["deno"],
  "Vercel, Netlify, AWS Lambda": ["node"],
};

const declared: Record<string, StorageGuarantees> = {
  // The recipe asks for its collection only.
  MongoDB: new MongoEngine({ collection() {} } as never).guarantees,
};
for (const [name, { guarantees }] of Object.entries(everyStorage())) {
  declared[name] = guarantees;
}

function linked(cell: string) {
  return [...cell.matchAll(/\[([^\]]+)\]\(#/g)].map(([, name = ""]) => {
    const link = LINKS[name];
    assert(link, `${name} is not known`);
    return { name, ...link };
  });
}

function holdsAtOnce({ revoke, reads }: StorageGuarantees): boolean {
  return revoke && reads === "strong";
}

function keepsOwners(guarantees: StorageGuarantees): boolean {
  const { compareAndSet, evicts = "nothing" } = guarantees;
  return compareAndSet && holdsAtOnce(guarantees) && evicts !== "any";
}

const word = (holds: boolean) => holds ? "yes" : "no";

Deno.test(`${DOCUMENT} is right about what the storages of a choice can do`, async () => {
  const rows = await tableUnder(DOCUMENT, "## Choose a storage");
  assert(rows.length > 5);
  for (const { Storage = "", ...row } of rows) {
    for (const { storages } of linked(Storage)) {
      for (const name of storages) {
        const guarantees = declared[name];
        assert(guarantees, name);
        assertEquals(
          [
            row["Keeps parallel changes"],
            row["A logout holds at once"],
            row["`owner`"],
          ],
          [
            word(guarantees.compareAndSet),
            word(holdsAtOnce(guarantees)),
            word(keepsOwners(guarantees)),
          ],
          name,
        );
      }
    }
  }
});

Deno.test(`${DOCUMENT} names storages that work on each platform, and on which a logout holds at once`, async () => {
  const rows = await tableUnder(
    DOCUMENT,
    "Or use what your platform has. With each of these, a logout holds at once:",
  );
  assertEquals(rows.map(({ Platform }) => Platform), Object.keys(PLATFORMS));
  for (const { Platform = "", Storages = "" } of rows) {
    for (const { name, storages, rows = [] } of linked(Storages)) {
      const label = `${name} on ${Platform}`;
      for (const storage of storages) {
        const guarantees = declared[storage];
        assert(guarantees && holdsAtOnce(guarantees), label);
      }
      for (const on of PLATFORMS[Platform] ?? []) {
        assert(rows.some((row) => ROWS[row].on.includes(on)), label);
      }
    }
  }
});

Deno.test("docs/runtimes.md says on which runtime each client of SQL was tried", async () => {
  const text = await Deno.readTextFile(new URL("docs/runtimes.md", root));
  const heading = "## SQL: SQLite, PostgreSQL, MySQL, D1";
  const clients = (await tableUnder(DOCUMENT, heading))
    .flatMap(({ Client = "" }) => Client.replace(/\(.*\)/, "").split(", "))
    .map((client) => client.replaceAll("`", "").trim())
    .filter((client) => !/^(its binding|or another one)/.test(client));
  assert(clients.length > 10, clients.join());
  const names: Record<string, string> = {
    "@neondatabase/serverless": "Neon's driver",
    Bun: "on Bun: its `SQL`",
  };
  for (const client of clients) {
    assertStringIncludes(text, names[client] ?? client, client);
  }
});
