/** `requireKey`. */
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { requireKey } from "../../core/require_key.ts";
import { createSession } from "../../core/session.ts";
import { rowName } from "../_row.ts";

interface Data {
  userId: string;
  age: number | null;
  admin?: boolean;
}

/** What `run` throws. */
function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("requireKey() returns a value that is there", () => {
  const session = createSession<Data>({ userId: "ann", age: 0, admin: true });
  const userId: string = requireKey(session, "userId");
  const age: number = requireKey(session, "age", "/login");
  const admin: true = requireKey(session, "admin", () => new Error());
  assertEquals([userId, age, admin], ["ann", 0, true]);
});

Deno.test("requireKey() throws a response, when a value is missing", () => {
  const missing: Partial<Data>[] = [
    {},
    { userId: "" },
    { userId: null as never },
    { userId: false as never },
  ];
  for (const data of missing) {
    const session = createSession<Data>(data);
    const refused = thrown(() => requireKey(session, "userId"));
    assertInstanceOf(refused, Response, rowName(data));
    assertEquals(refused.status, 401, rowName(data));
    const moved = thrown(() => requireKey(session, "userId", "/login?next=/"));
    assertInstanceOf(moved, Response, rowName(data));
    assertEquals(moved.status, 303, rowName(data));
    assertEquals(moved.headers.get("Location"), "/login?next=/", rowName(data));
  }
});

Deno.test("requireKey() throws what a function returns", () => {
  const session = createSession<Data>();
  assertThrows(
    () => requireKey(session, "userId", () => new RangeError("who is it?")),
    RangeError,
    "who is it?",
  );
});
