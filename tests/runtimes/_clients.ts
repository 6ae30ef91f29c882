/** The clients that applications bring, as on npm, with the versions of the other tests. */
export const CLIENTS: Readonly<Record<string, string>> = {
  "@aws-sdk/client-dynamodb": "^3.1162.0",
  "@aws-sdk/lib-dynamodb": "^3.1162.0",
  "@deno/kv": "0.14.0",
  "@upstash/redis": "^1.39.0",
  ioredis: "^6.0.0",
  mysql2: "3.24.6",
  pg: "8.23.1",
  postgres: "3.4.9",
  redis: "^6.3.1",
};
