/**
 * DynamoDB on this machine: dynalite on a free port, and the AWS SDK's client for it.
 *
 * @module
 */
import { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { DynamoDB } from "npm:@aws-sdk/client-dynamodb@^3.1162.0";
import type { DynamoDBDocument } from "npm:@aws-sdk/lib-dynamodb@^3.1162.0";
import { localSettings, makeTable } from "./_tables.ts";

/** The packages that {@linkcode startDynamoDB} needs. */
export const PACKAGES = [
  "npm:dynalite@4.0.0",
  "npm:@aws-sdk/client-dynamodb@^3.1162.0",
  "npm:@aws-sdk/lib-dynamodb@^3.1162.0",
] as const;

/** Clients of a running DynamoDB. */
export interface DynamoDBClients {
  /** The SDK's client. */
  readonly db: DynamoDB;
  /** The SDK's document client. */
  readonly document: DynamoDBDocument;
}

/** A running DynamoDB. */
export interface LocalDynamoDB extends DynamoDBClients {
  /** Its port. */
  readonly port: number;
  /** Creates a table whose key is `idx`, and returns its name. */
  table(name?: string, idx?: string): Promise<string>;
  /** Stops it. */
  stop(): Promise<void>;
  /** Starts it again, on the same port and with the same tables. */
  start(): Promise<void>;
}

/** The SDK's clients for the DynamoDB on a port of this machine. */
export async function connectDynamoDB(port: number): Promise<DynamoDBClients> {
  const { DynamoDB } = await import("npm:@aws-sdk/client-dynamodb@^3.1162.0");
  const { DynamoDBDocument } = await import(
    "npm:@aws-sdk/lib-dynamodb@^3.1162.0"
  );
  const db = new DynamoDB(localSettings(port));
  return { db, document: DynamoDBDocument.from(db) };
}

/** Starts DynamoDB. It stops with the process of the tests. */
export async function startDynamoDB(): Promise<LocalDynamoDB> {
  const { default: dynalite } = await import("npm:dynalite@4.0.0");
  const server: Server = dynalite({ createTableMs: 0 });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const { db, document } = await connectDynamoDB(port);
  let tables = 0;
  return {
    port,
    db,
    document,
    table: (name = `sessions-${++tables}`, idx) => makeTable(db, name, idx),
    stop: () =>
      new Promise((resolve) => {
        // Its own close() drops the tables.
        Server.prototype.close.call(server, () => resolve());
        server.closeAllConnections();
      }),
    start: () => listen(port),
  };
}
