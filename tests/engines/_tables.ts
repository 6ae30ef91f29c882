/**
 * Creates tables in DynamoDB, through a client like the AWS SDK's.
 *
 * Bun, Node and Workers use it too.
 *
 * @module
 */

/** The part of the SDK's `DynamoDB` that creates tables. */
export interface TableMaker {
  /** Creates a table. */
  createTable(params: {
    TableName: string;
    KeySchema: { AttributeName: string; KeyType: "HASH" }[];
    AttributeDefinitions: { AttributeName: string; AttributeType: "S" }[];
    BillingMode: "PAY_PER_REQUEST";
  }): Promise<unknown>;
  /** Returns the state of a table. */
  describeTable(
    params: { TableName: string },
  ): Promise<{ Table?: { TableStatus?: string | undefined } | undefined }>;
}

/** Creates a table whose key is `idx`, waits until it is active, and returns its name. */
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

/** The SDK's settings for a DynamoDB on this machine. */
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
