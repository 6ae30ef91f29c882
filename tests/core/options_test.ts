import { assertThrows } from "@std/assert";
import { checkOptions } from "../../core/options.ts";

Deno.test("checkOptions() names the known option with the fewest edits, when one is unknown", () => {
  const rows: [given: string, nearest: string, other: string][] = [
    ["idleTimout", "idleTimeout", "engineTimeout"],
    ["SAMESITE", "sameSite", "SAMSIT"],
    ["abcdef", "abcxef", "abc"],
    ["abc", "abx", "abcdef"],
    ["a", "z", "zzz"],
    ["abc", "abd", "bcx"],
    ["bcx", "bcy", "abc"],
    ["abcd", "abce", "dcba"],
  ];
  for (const [given, nearest, other] of rows) {
    assertThrows(
      () =>
        checkOptions("create storage", { [given]: 1 }, {
          [other]: true,
          [nearest]: true,
        }),
      TypeError,
      `Cannot create storage: unknown option "${given}"; the nearest known one is "${nearest}"`,
      given,
    );
  }
});
