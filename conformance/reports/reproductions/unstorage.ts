/**
 * Reproductions for unstorage: a few lines of its own API for each rule that its drivers break. A session is an item.
 *
 * `deno run -A conformance/reports/reproductions/unstorage.ts [memory | fs | lru-cache] [rule]`
 */
import assert from "node:assert/strict";
import { createStorage, type Storage } from "npm:unstorage@1.17.6";
import fsDriver from "npm:unstorage@1.17.6/drivers/fs";
import lruCacheDriver from "npm:unstorage@1.17.6/drivers/lru-cache";
import memoryDriver from "npm:unstorage@1.17.6/drivers/memory";
import { folder } from "./engines.ts";
import { type Reproduction, run } from "./run.ts";

/** The storages. */
export const storages: Readonly<Record<string, () => Storage>> = {
  memory: () => createStorage({ driver: memoryDriver() }),
  fs: () => createStorage({ driver: fsDriver({ base: folder }) }),
  "lru-cache": () => createStorage({ driver: lruCacheDriver({}) }),
};

const all = Object.keys(storages);

/** Signs a new visitor in. Returns the id in their cookie. */
async function signIn(storage: Storage, values: object = {}): Promise<string> {
  const id = crypto.randomUUID();
  await storage.setItem(id, { userId: "u1", ...values });
  return id;
}

// deno-lint-ignore no-explicit-any -- an application's values
function read(storage: Storage, id: string): Promise<any> {
  return storage.getItem(id);
}

/** The reproductions, by rule. */
export const reproductions: Readonly<Record<string, Reproduction<Storage>>> = {
  "FLASH-10": {
    of: all,
    visitor:
      "Two pages load at the same time. One shows “Paid”, the other saves something else: “Paid” is shown again.",
    async show(storage) {
      const id = await signIn(storage, { notice: "Paid" });
      const [page, other] = [await read(storage, id), await read(storage, id)];
      delete page.notice;
      await storage.setItem(id, page);
      await storage.setItem(id, { ...other, visits: 1 });
      const next = await read(storage, id);
      assert.equal(next.notice, undefined, "the message that was read is back");
    },
  },
  "CONC-01": {
    of: all,
    visitor:
      "A visitor logs out while a slow page loads. When that page saves, the visitor is signed in again, and so is everybody with the old cookie.",
    async show(storage) {
      const id = await signIn(storage);
      const slow = await read(storage, id);
      await storage.removeItem(id);
      // There is no way to write only what still exists.
      await storage.setItem(id, { ...slow, visits: 1 });
      const next = await read(storage, id);
      assert(!next?.userId, "the removed session is back");
    },
  },
  "CONC-02": {
    of: all,
    visitor:
      "An id that was planted before the login, and ended by it, is valid again once a slow page saves.",
    async show(storage) {
      const planted = await signIn(storage);
      const slow = await read(storage, planted);
      await signIn(storage);
      await storage.removeItem(planted);
      await storage.setItem(planted, { ...slow, visits: 1 });
      const attacker = await read(storage, planted);
      assert(!attacker?.userId, "the id that was removed is back");
    },
  },
  "CONC-04": {
    of: ["fs"],
    visitor:
      "A request that reads while another one saves reads a part of the file: the visitor is signed out for that request.",
    async show(storage) {
      const text = "x".repeat(100_000);
      const id = await signIn(storage, { text });
      for (let i = 0; i < 100; i++) {
        const writing = storage.setItem(id, { userId: "u1", text });
        const reads = Array.from({ length: 4 }, () => read(storage, id));
        for (const found of await Promise.all(reads)) {
          assert.equal(
            found?.userId,
            "u1",
            "a read returns a part of the file",
          );
        }
        await writing;
      }
    },
  },
  "CONC-09": {
    of: all,
    visitor:
      "A visitor logs out while a page renews the id and keeps the values. Its cookie signs the visitor in again.",
    async show(storage) {
      const id = await signIn(storage);
      const slow = await read(storage, id);
      await storage.removeItem(id);
      // Removing an item that is gone succeeds too, so that the page cannot know it.
      await storage.removeItem(id);
      const next = await read(storage, await signIn(storage, slow));
      assert(!next?.userId, "the copy of a removed session is signed in");
    },
  },
  "HOSTILE-03": {
    of: all,
    visitor:
      "A value under the key __proto__, such as a field of a form, is dropped: what was saved is not what is read.",
    async show(storage) {
      const values = JSON.parse('{"__proto__":1}');
      const id = crypto.randomUUID();
      await storage.setItem(id, { values });
      const { values: found } = await read(storage, id);
      assert(Object.hasOwn(found, "__proto__"), "__proto__ is dropped");
    },
  },
  "SERIAL-01": {
    of: all,
    visitor:
      "Inside of a value, the key __proto__ is dropped too: a JSON value comes back changed.",
    async show(storage) {
      const value = JSON.parse('{"__proto__":{"admin":true},"page":1}');
      const next = await read(storage, await signIn(storage, { value }));
      assert.deepEqual(next.value, value, "the value that is read differs");
    },
  },
  "SERIAL-03": {
    of: all,
    visitor:
      "A date is returned as text and NaN as null. The page that uses them fails, far from the code that stored them.",
    async show(storage) {
      const sale = { ends: new Date(0), discount: NaN };
      const next = await read(storage, await signIn(storage, { sale }));
      assert.deepEqual(next.sale, sale, "the value that is read differs");
    },
  },
  "MODEL-02": {
    of: all,
    visitor:
      "One page logs out while another removes a coupon: the visitor is still signed in, which neither order of the two would give.",
    async show(storage) {
      const id = await signIn(storage, { coupon: "SPRING" });
      const { coupon: _, ...other } = await read(storage, id);
      await storage.removeItem(id);
      await storage.setItem(id, other);
      const next = await read(storage, id);
      assert(!next?.userId, "no order of the two leads to this");
    },
  },
};

if (import.meta.main) await run(storages, reproductions);
