/** A table with the methods of Architect's client, over dynalite. */
import { startDynamoDB } from "../../engines/_dynamodb.ts";

/** The methods that the storage calls. */
interface ArcTable {
  get(key: Record<string, string>): Promise<unknown>;
  put(item: Record<string, unknown>): Promise<void>;
  delete(key: Record<string, string>): Promise<void>;
}

const local = await startDynamoDB();
const table = await local.table();

/** The table. */
export const sessions: ArcTable = {
  async get(Key: Record<string, string>): Promise<unknown> {
    return (await local.document.get({ TableName: table, Key })).Item;
  },
  async put(Item: Record<string, unknown>): Promise<void> {
    await local.document.put({ TableName: table, Item });
  },
  async delete(Key: Record<string, string>): Promise<void> {
    await local.document.delete({ TableName: table, Key });
  },
};
