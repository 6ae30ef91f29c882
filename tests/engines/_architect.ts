/**
 * What Architect's client finds around it where it runs. It reads its settings once, when it is first loaded.
 *
 * @module
 */

/** Stands in for the place where Architect's applications run, with a DynamoDB of this machine, until it is disposed of. A table's real name has `arc-` before it. */
export function architectEnvironment(
  port: number,
  tables: readonly string[],
): AsyncDisposable {
  // Architect learns an application's tables from AWS's parameter store.
  const discovery = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () =>
      Response.json({
        Parameters: tables.map((table) => ({
          Name: `/ArcApp-testing/tables/${table}`,
          Value: `arc-${table}`,
        })),
      }),
  );
  const variables: Record<string, string> = {
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    ARC_ENV: "testing",
    ARC_SANDBOX: JSON.stringify({
      version: "8.0.0",
      ports: { tables: port, _arc: discovery.addr.port },
    }),
  };
  const before = new Map<string, string | undefined>();
  for (const [name, value] of Object.entries(variables)) {
    before.set(name, Deno.env.get(name));
    Deno.env.set(name, value);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
      await discovery.shutdown();
    },
  };
}
