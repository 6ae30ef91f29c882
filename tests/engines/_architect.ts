/**
 * The environment of Architect's client. The client reads its settings once, when it is loaded.
 *
 * @module
 */

/**
 * Sets the environment of an Architect application, with a DynamoDB on this machine, until it is disposed. The real name
 * of a table begins with `arc-`.
 */
export function architectEnvironment(
  port: number,
  tables: readonly string[],
): AsyncDisposable {
  // Architect reads the names of an application's tables from AWS's Parameter Store.
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
