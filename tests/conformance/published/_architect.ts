/** Architect's tables for targets of other libraries: dynalite, and a table for each namespace. */
import { architectEnvironment } from "../../engines/_architect.ts";
import { startDynamoDB } from "../../engines/_dynamodb.ts";

const local = await startDynamoDB();
const names = Array.from({ length: 400 }, (_, i) => `t${i}`);
const tables = new Map<string, Promise<string>>();

// Architect's client reads its environment when it is loaded. This process does nothing else.
architectEnvironment(local.port, names);

/** The table of a namespace, by its name in Architect. */
export function tableOf(namespace: string): Promise<string> {
  const create = async () => {
    const name = `t${tables.size}`;
    await local.table(`arc-${name}`);
    return name;
  };
  const table = tables.get(namespace) ?? create();
  tables.set(namespace, table);
  return table;
}
