import { assertEquals, assertRejects } from "@std/assert";
import { Lazy } from "../../storage/engines/lazy.ts";

/** A value that is opened by hand: each `open` waits for its turn in `attempts`. */
function setUp() {
  const attempts: PromiseWithResolvers<string>[] = [];
  const lazy = new Lazy(() => {
    const attempt = Promise.withResolvers<string>();
    attempts.push(attempt);
    return attempt.promise;
  });
  return { lazy, attempts };
}

Deno.test("Lazy.get() opens once, when calls are parallel or come later", async () => {
  const { lazy, attempts } = setUp();
  assertEquals(attempts.length, 0);
  const calls = [lazy.get(), lazy.get()];
  assertEquals(lazy.value, undefined);
  attempts[0]?.resolve("a");
  assertEquals(await Promise.all(calls), ["a", "a"]);
  assertEquals([await lazy.get(), lazy.value], ["a", "a"]);
  assertEquals(attempts.length, 1);
});

Deno.test("Lazy.get() tries again, when an attempt failed", async () => {
  const { lazy, attempts } = setUp();
  const calls = [lazy.get(), lazy.get()];
  attempts[0]?.reject(new Error("away"));
  for (const [index, call] of calls.entries()) {
    await assertRejects(() => call, Error, "away", `call ${index}`);
  }
  const again = lazy.get();
  attempts[1]?.resolve("b");
  assertEquals(await again, "b");
  assertEquals(attempts.length, 2);
});

Deno.test("Lazy.take() hands out what is opened, and the next call opens another", async () => {
  const { lazy, attempts } = setUp();
  assertEquals(lazy.take(), undefined);
  lazy.get();
  const taken = lazy.take();
  const next = lazy.get();
  attempts[1]?.resolve("b");
  assertEquals(await next, "b");
  attempts[0]?.resolve("a");
  assertEquals(await taken, "a");
  // The attempt that was taken out does not come back.
  assertEquals([lazy.value, await lazy.get()], ["b", "b"]);
});

Deno.test("Lazy.forget() forgets a value, unless another has replaced it", async () => {
  const { lazy, attempts } = setUp();
  lazy.get();
  attempts[0]?.resolve("a");
  await lazy.get();
  lazy.forget("a");
  assertEquals(lazy.value, undefined);
  const next = lazy.get();
  lazy.forget("a");
  attempts[1]?.resolve("b");
  await next;
  lazy.forget("a");
  assertEquals(lazy.value, "b");
  assertEquals(attempts.length, 2);
});
