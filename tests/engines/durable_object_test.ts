// Alarms, lost answers, restarts and wrong bindings of Durable Objects. The conformance suite tests the rest.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import {
  createDurableObjectSessionStorage,
  createSessionStorage,
} from "../../mod.ts";
import { DurableObjectEngine } from "../../storage/engines/durable_object/engine.ts";
import { assertSessionError } from "../core/_support.ts";
import { rowName } from "../_row.ts";
import { type LocalObjects, startObjects } from "./_objects.ts";
import { withPackages } from "./_packages.ts";
import { PACKAGES } from "./_workerd.ts";

const cookie = { name: "session", secrets: ["s3cr3t"] };
const HOUR = 3_600_000;
const MINUTE = 60_000;
const GONE = { entries: 0, alarm: null };

await withPackages(
  "Durable Objects (workerd)",
  PACKAGES,
  startObjects,
  ({ namespace, look, lose }: LocalObjects) => {
    const waits: number[] = [];
    const wait = async (ms: number) => void waits.push(ms);
    // The storage's clock differs from that of the objects.
    const now = 1_000_000;
    const engine = new DurableObjectEngine(namespace, () => now, wait);

    Deno.test("an alarm is due at the deadline, and is moved only if the deadline comes nearer", async () => {
      const before = Date.now();
      await engine.write("a", "{}", { expires: now + HOUR });
      const { entries, alarm } = await look("a");
      assertEquals(entries, 1);
      assert(alarm !== null && alarm >= before + HOUR);
      assert(alarm <= Date.now() + HOUR);

      await engine.write("a", "{}", { expires: now + 2 * HOUR });
      await engine.touch("a", now + 3 * HOUR);
      assertEquals(await look("a"), { entries, alarm });

      await engine.touch("a", now + MINUTE);
      const nearer = await look("a");
      assert(nearer.alarm !== null && nearer.alarm <= Date.now() + MINUTE);
    });

    Deno.test("an alarm spares a record that was touched, and is set again", async () => {
      const version = await engine.write("b", "{}", { expires: now + MINUTE });
      const before = Date.now();
      assert(await engine.touch("b", now + HOUR));
      const { entries, alarm } = await look("b", "alarm");
      assertEquals(entries, 1);
      assert(alarm !== null && alarm >= before + HOUR);
      assertEquals(await engine.read("b"), {
        value: "{}",
        version,
        expires: now + HOUR,
      });
    });

    Deno.test("an object removes an expired record by itself, and everything with it", async () => {
      const expires = now;
      const version = await engine.write("c", "{}", { expires });
      let left = await look("c");
      for (let i = 0; left.entries > 0 && i < 1000; i++) left = await look("c");
      assertEquals(left, GONE);
      // A save that comes late does not bring it back.
      const late = { expires: now + HOUR, ifVersion: version };
      assertEquals(await engine.write("c", "{}", late), null);
      assertEquals(await look("c"), GONE);
    });

    Deno.test("a deleted record leaves nothing, and its versions do not come back", async () => {
      const expires = now + HOUR;
      const first = await engine.write("d", "{}", { expires, ifVersion: null });
      assert(await engine.delete("d", { ifVersion: first }));
      assertEquals(await look("d"), GONE);
      const second = await engine.write("d", "{}", {
        expires,
        ifVersion: null,
      });
      const stale = { expires, ifVersion: first };
      assertEquals(await engine.write("d", "[]", stale), null);
      assertEquals(await engine.read("d"), {
        value: "{}",
        version: second,
        expires,
      });
    });

    Deno.test("an answer that a deploy has cost is asked for again, and a write happens once", async () => {
      const expires = now + HOUR;
      await lose(2);
      waits.length = 0;
      const version = await engine.write("e", "1", {
        expires,
        ifVersion: null,
      });
      assertEquals(waits.length, 2);
      await lose(1);
      assertEquals(await engine.read("e"), { value: "1", version, expires });
      await lose(1);
      const next = await engine.write("e", "2", {
        expires,
        ifVersion: version,
      });
      assertEquals((await engine.read("e"))?.version, next);
    });

    Deno.test("an object that never comes back is a failure", async () => {
      await lose(4);
      const storage = createSessionStorage({ engine, cookie });
      await assertSessionError(
        () => storage.read("A".repeat(22)),
        "store-failed",
      );
      await lose(0);
    });

    Deno.test("an object that is overloaded is not asked again", async () => {
      const overloaded = Object.assign(new Error("overloaded"), {
        overloaded: true,
        retryable: true,
      });
      let asked = 0;
      const full = new DurableObjectEngine({
        idFromName: () => {},
        get: () => ({
          fetch() {
            asked++;
            return Promise.reject(overloaded);
          },
        }),
      }, () => now);
      const error = await full.read("f").catch((error) => error);
      assertEquals([error, asked], [overloaded, 1]);
    });

    Deno.test("a record of 999,000 bytes is stored, whichever characters it has", async () => {
      const { maxBytes = 0 } = engine.guarantees;
      const expires = now + HOUR;
      for (const value of ["a", "ä", "€", "😀"]) {
        const bytes = new TextEncoder().encode(value).length;
        // One character beyond Latin-1 makes the others take two bytes.
        const text = "€" + "a".repeat(maxBytes - 3 - bytes) + value;
        const version = await engine.write("g", text, { expires });
        const record = await engine.read("g");
        assertEquals(record?.version, version, rowName(value));
        assert(record?.value === text, rowName(value));
      }
    });
  },
);

await withPackages(
  "Durable Objects (workerd) that restart",
  PACKAGES,
  async () => {},
  () => {
    Deno.test("sessions survive a restart of the runtime, and a logout does, too", async () => {
      const dir = await Deno.makeTempDir();
      const open = async () => {
        const { namespace, stop } = await startObjects({ dir });
        const storage = createDurableObjectSessionStorage<{ name: string }>({
          namespace,
          cookie,
          owner: ({ name }) => name,
        });
        return { storage, stop };
      };
      const headers: string[] = [];
      let { storage, stop } = await open();
      for (const name of ["ann", "ben", "ann"]) {
        const session = await storage.getSession();
        session.set("name", name);
        headers.push((await storage.commitSession(session)).split(";")[0]!);
      }
      const [ann, ben, other] = headers;
      await storage.destroySession(await storage.getSession(other));
      await stop();

      ({ storage, stop } = await open());
      const names = () =>
        Promise.all(
          [ann, ben, other].map(async (header) =>
            (await storage.getSession(header)).get("name")
          ),
        );
      assertEquals(await names(), ["ann", "ben", undefined]);
      assertEquals((await storage.listSessions("ann")).length, 1);
      assertEquals(await storage.destroySessions("ann"), 1);
      assertEquals(await names(), [undefined, "ben", undefined]);
      await stop();
      await Deno.remove(dir, { recursive: true });
    });

    Deno.test("a binding of another class is a failure that says what to export", async () => {
      const { namespace, stop } = await startObjects({
        objects: "OtherObject",
      });
      const storage = createDurableObjectSessionStorage({ namespace, cookie });
      const session = await storage.read(null);
      session.set("a", 1);
      const error = await assertSessionError(
        () => storage.save(session),
        "store-failed",
      );
      assertInstanceOf(error.cause, TypeError);
      assert(error.cause.message.includes("not of the class SessionObject"));
      await stop();
    });
  },
);

Deno.test("createDurableObjectSessionStorage() throws and says what to change, when its namespace is not one", () => {
  for (const namespace of [undefined, null, {}, "SESSIONS"]) {
    assertThrows(
      () =>
        createDurableObjectSessionStorage({ namespace: namespace as never }),
      TypeError,
      "namespace must be a namespace of Durable Objects, such as env.SESSIONS, but it does not have idFromName()",
      rowName(namespace),
    );
  }
});
