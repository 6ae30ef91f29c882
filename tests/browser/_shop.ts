/**
 * The example shop in the test's process, on a real port and a real storage, with a clock that the test moves.
 *
 * @module
 */
import type { SessionCookieOptions } from "@satchel/session";
import { createShop, type ShopOptions } from "../../examples/shop/app.ts";
import { lifetimes, openStorage } from "../../examples/shop/storages.ts";
import { addressesOf, serverOf } from "../examples/_shop.ts";

type ShopStorage = ShopOptions["storage"];

/** A request that reached the shop. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly cookie: string | null;
}

/** A running shop. */
export interface Shop extends AsyncDisposable {
  readonly storageName: string;
  readonly storage: ShopStorage;
  /** The requests so far. */
  readonly seen: Seen[];
  /** Called and awaited before each save. */
  beforeSave: () => Promise<void> | void;
  /** The address of a page. */
  at(path: string, host?: string): string;
  /** Moves the clock forward by a number of seconds. */
  advance(seconds: number): void;
}

/** Opens a shop. */
export async function openShop(
  storageName: string,
  cookie: SessionCookieOptions = {},
): Promise<Shop> {
  const dataDir = await Deno.makeTempDir({ prefix: "satchel_browser_" });
  const addresses = addressesOf(await serverOf(storageName));
  let time = Date.now();
  const now = () => time;
  const { storage, close } = await openStorage(
    { storage: storageName, dataDir, ...addresses },
    { cookie, now },
  );
  const seen: Seen[] = [];
  const handler = createShop({
    ...lifetimes,
    storage: withHook(storage, () => shop.beforeSave()),
    storageName,
    now,
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const { method, headers, url } = request;
      const path = new URL(url).pathname;
      seen.push({ method, path, cookie: headers.get("Cookie") });
      return handler(request);
    },
  );
  const shop: Shop = {
    storageName,
    storage,
    seen,
    beforeSave() {},
    at: (path, host = "localhost") =>
      `http://${host}:${server.addr.port}${path}`,
    advance: (seconds) => void (time += seconds * 1000),
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await close();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
  return shop;
}

function withHook(
  storage: ShopStorage,
  beforeSave: () => Promise<void> | void,
): ShopStorage {
  return {
    ...storage,
    read: (value) => storage.read(value),
    save: (session, options) => storage.save(session, options),
    async commitSession(session, options) {
      await beforeSave();
      return await storage.commitSession(session, options);
    },
  };
}
