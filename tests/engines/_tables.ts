/**
 * Tables in DynamoDB, by any client of the AWS SDK's shape.
 *
 * Portable: Bun, Node and Workers make theirs by this too.
 *
 * @module
 */

/** The part of the SDK's `DynamoDB` that making a table needs. */
export interface TableMaker {
  /** Makes a table. */
  createTable(params: {
    TableName: string;
    KeySchema: { AttributeName: string; KeyType: "HASH" }[];
    AttributeDefinitions: { AttributeName: string; AttributeType: "S" }[];
    BillingMode: "PAY_PER_REQUEST";
  }): Promise<unknown>;
  /** Tells what a table is like. */
  describeTable(
    params: { TableName: string },
  ): Promise<{ Table?: { TableStatus?: string | undefined } | undefined }>;
}

/** Makes a table whose key is `idx`, waits until it can be used, and gives its name. */
export async function makeTable(
  db: TableMaker,
  name: string,
  idx = "_idx",
): Promise<string> {
  await db.createTable({
    TableName: name,
    KeySchema: [{ AttributeName: idx, KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: idx, AttributeType: "S" }],
    BillingMode: "PAY_PER_REQUEST",
  });
  const status = async () =>
    (await db.describeTable({ TableName: name })).Table?.TableStatus;
  while (await status() !== "ACTIVE");
  return name;
}

/** How the SDK reaches a DynamoDB on this machine. */
export function localSettings(port: number): {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  maxAttempts: number;
} {
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: "local",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  };
}
