// Clients around other clients: Drizzle and Kysely over pg, and Neon's driver by WebSocket and by HTTP.
import { createSqlSessionStorage, type SqlClientLike } from "@satchel/session";
import { neon, neonConfig, Pool } from "npm:@neondatabase/serverless@1.0.2";
import { drizzle } from "npm:drizzle-orm@0.45.4/node-postgres";
import { CompiledQuery, Kysely, PostgresDialect } from "npm:kysely@0.28.19";
import pg from "pg";
import { keeps } from "../conformance/engines/_keeps.ts";
import { installed, startPostgres } from "./_servers.ts";
import { type Client, sqlEngine } from "./_sql.ts";

/** What Neon puts in front of PostgreSQL: WebSockets that carry its protocol, and statements by HTTP. */
function startNeonFront(port: number, pool: pg.Pool): number {
  const raw = { getTypeParser: () => (text: string) => text };
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      if (request.headers.get("upgrade") === "websocket") {
        return relay(request, port);
      }
      const { query, params } = await request.json() as {
        query: string;
        params: unknown[];
      };
      try {
        const { command, rowCount, fields, rows } = await pool.query({
          ...{ text: query, values: params, rowMode: "array" },
          types: raw as never,
        });
        return Response.json({ command, rowCount, fields, rows });
      } catch (error) {
        const { message, code } = error as { message: string; code: string };
        return Response.json({ message, code }, { status: 400 });
      }
    },
  );
  globalThis.addEventListener("unload", () => void server.shutdown());
  return server.addr.port;
}

function relay(request: Request, port: number): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  const connected = Deno.connect({ hostname: "127.0.0.1", port });
  socket.binaryType = "arraybuffer";
  let writing: Promise<unknown> = connected;
  socket.onmessage = ({ data }) => {
    writing = writing.then(async () => {
      const writer = (await connected).writable.getWriter();
      await writer.write(new Uint8Array(data));
      writer.releaseLock();
    });
  };
  socket.onopen = async () => {
    try {
      for await (const bytes of (await connected).readable) socket.send(bytes);
    } catch {
      // The client has left.
    }
  };
  socket.onclose = async () => {
    await writing.catch(() => {});
    try {
      (await connected).close();
    } catch {
      // PostgreSQL has closed it.
    }
  };
  return response;
}

if (installed("postgres")) {
  const { port } = await startPostgres();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const pool = new pg.Pool({ connectionString: url });
  pool.on("error", () => {});

  const kysely = new Kysely({ dialect: new PostgresDialect({ pool }) });
  const byKysely: SqlClientLike = {
    async query(sql, values) {
      const query = CompiledQuery.raw(sql, values);
      const { rows, numAffectedRows } = await kysely.executeQuery(query);
      return { rows, rowCount: numAffectedRows };
    },
  };

  const front = startNeonFront(port, pool);
  neonConfig.wsProxy = () => `127.0.0.1:${front}/`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.pipelineTLS = false;
  neonConfig.pipelineConnect = false;
  neonConfig.fetchEndpoint = `http://127.0.0.1:${front}/sql`;
  const neonUrl = url.replace("postgres@", "postgres:unused@");
  const neonPool = new Pool({ connectionString: neonUrl });
  neonPool.on("error", () => {});

  const clients: Client[] = [
    { name: "Drizzle", db: drizzle(pool) },
    { name: "Kysely", db: byKysely, dialect: "postgres" },
    { name: "Neon by WebSocket", db: neonPool },
    { name: "Neon by HTTP", db: neon(neonUrl) },
  ];
  for (const client of clients) {
    createSqlSessionStorage({ db: client.db, dialect: client.dialect });
    keeps(sqlEngine(client), []);
  }
}
