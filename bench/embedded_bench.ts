/**
 * What the session costs a request, for each embedded storage: an anonymous visitor, a read, a read and a write.
 *
 * `deno task bench`. The session takes about 300 bytes of JSON; machines are noisy, so compare rows of one run.
 */
import {
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createFileSessionStorage,
  createMemorySessionStorage,
  type SessionStorage,
} from "@satchel/session";

const secrets = ["0123456789abcdef0123456789abcdef"];
const dir = await Deno.makeTempDir();
const kv = await Deno.openKv(`${dir}/kv`);

const storages: Record<string, SessionStorage> = {
  "cookie, sealed": createCookieSessionStorage({ cookie: { secrets } }),
  "cookie, signed": createCookieSessionStorage({
    cookie: { secrets, encrypt: false },
  }),
  "memory": createMemorySessionStorage({ cookie: { secrets } }),
  "file": createFileSessionStorage({
    dir: `${dir}/files`,
    cookie: { secrets },
  }),
  "Deno KV": createDenoKvSessionStorage({ kv, cookie: { secrets } }),
};

for (const [name, storage] of Object.entries(storages)) {
  const first = await storage.getSession();
  first.set("userId", "u_1042");
  first.set("theme", "dark");
  first.set("cart", [
    { sku: "tea-earl-grey-250", name: "Earl Grey, 250 g", quantity: 2 },
    { sku: "cup-blue-glaze-03", name: "Cup, blue glaze", quantity: 4 },
    { sku: "pot-cast-iron-12", name: "Pot, cast iron", quantity: 1 },
  ]);
  const cookie = (await storage.commitSession(first)).split(";")[0] ?? "";

  Deno.bench(`${name}: anonymous`, { group: "anonymous" }, async () => {
    const session = await storage.getSession(null);
    await storage.commitSession(session, { renew: false });
  });
  Deno.bench(`${name}: read`, { group: "read" }, async () => {
    const session = await storage.getSession(cookie);
    session.get("userId");
    await storage.commitSession(session, { renew: false });
  });
  let visits = 0;
  Deno.bench(
    `${name}: read and write`,
    { group: "read and write" },
    async () => {
      const session = await storage.getSession(cookie);
      session.set("visits", ++visits);
      await storage.commitSession(session, { renew: false });
    },
  );
}
