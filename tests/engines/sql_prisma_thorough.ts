// Prisma by its raw queries, over its adapters for pg and libsql, and what it says of a table that cannot be used.
import {
  createSqlSessionStorage,
  type PrismaLike,
  SessionError,
  type SqlDialect,
} from "@satchel/session";
import { assertRejects, assertStringIncludes } from "@std/assert";
import { keeps } from "../conformance/engines/_keeps.ts";
import { withPackages } from "./_packages.ts";
import { installed, startPostgres } from "./_servers.ts";
import { sqlEngine } from "./_sql.ts";

const RUNTIME = "npm:@prisma/client@7.10.0/runtime";
const ADAPTERS = {
  postgresql: "npm:@prisma/adapter-pg@7.10.0",
  sqlite: "npm:@prisma/adapter-libsql@7.10.0",
} as const;

type Provider = keyof typeof ADAPTERS;

/**
 * A client for a schema without models. It is what `prisma generate` writes, which would load a program from another
 * place than npm.
 */
async function clientFor(
  provider: Provider,
  adapter: unknown,
): Promise<PrismaLike> {
  const { getPrismaClient } = await import(`${RUNTIME}/client`);
  const compiler = `${RUNTIME}/query_compiler_fast_bg.${provider}`;
  const PrismaClient = getPrismaClient({
    ...{ previewFeatures: [], clientVersion: "7.10.0", engineVersion: "" },
    activeProvider: provider,
    inlineSchema: `datasource db {\n  provider = "${provider}"\n}\n`,
    runtimeDataModel: { models: {}, enums: {}, types: {} },
    parameterizationSchema: { strings: [], graph: "AAAA" },
    compilerWasm: {
      getRuntime: () => import(`${compiler}.mjs`),
      async getQueryCompilerWasmModule() {
        const { wasm } = await import(`${compiler}.wasm-base64.mjs`);
        return new WebAssembly.Module(Uint8Array.fromBase64(wasm));
      },
      importName: "./query_compiler_fast_bg.js",
    },
  });
  return new PrismaClient({ adapter });
}

async function start(): Promise<[SqlDialect, PrismaLike][]> {
  const clients: [SqlDialect, PrismaLike][] = [];
  const dir = await Deno.makeTempDir();
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(dir, { recursive: true });
  });
  const { PrismaLibSql } = await import(ADAPTERS.sqlite);
  const file = new PrismaLibSql({ url: `file:${dir}/sessions.db` });
  const sqlite = await clientFor("sqlite", file);
  await sqlite.$executeRawUnsafe("PRAGMA synchronous = off");
  clients.push(["sqlite", sqlite]);
  if (installed("postgres")) {
    const { port } = await startPostgres();
    const connectionString = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const { PrismaPg } = await import(ADAPTERS.postgresql);
    const pool = new PrismaPg({ connectionString });
    clients.push(["postgres", await clientFor("postgresql", pool)]);
  }
  return clients;
}

const packages = [`${RUNTIME}/client`, ...Object.values(ADAPTERS)];
await withPackages("Prisma", packages, start, (clients) => {
  for (const [dialect, db] of clients) {
    keeps(sqlEngine({ name: `Prisma, ${dialect}`, db, dialect }), []);

    Deno.test(`storage.save() says how to create the table, when Prisma does not find it (${dialect})`, async () => {
      const storage = createSqlSessionStorage({ db, dialect, table: "none" });
      const session = await storage.read(null);
      session.set("a", 1);
      const { cause } = await assertRejects(
        () => storage.save(session),
        SessionError,
      );
      assertStringIncludes(
        String(cause),
        `Cannot use table "none": it does not exist`,
      );
    });
  }
});
