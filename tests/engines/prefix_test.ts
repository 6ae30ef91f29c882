import { assertThrows } from "@std/assert";
import { rowName } from "../_row.ts";
import { checkPrefix } from "../../storage/engines/prefix.ts";

Deno.test("checkPrefix() says what is wrong with a prefix, when a key cannot begin with it", () => {
  const spaces = { without: "spaces or control characters" } as const;
  const controls = { without: "control characters" } as const;
  const cases: [prefix: unknown, limits: object, message: string][] = [
    [5, {}, "be a string, received number"],
    [null, {}, "be a string, received object"],
    ["a\ud800", {}, "be a well-formed string, without lone surrogates"],
    ["\udc00", spaces, "be a well-formed string, without lone surrogates"],
    ["a\r\n", controls, "not contain control characters"],
    ["a b", spaces, "not contain spaces or control characters"],
    ["\0", spaces, "not contain spaces or control characters"],
    ["éa", { maxBytes: 2 }, "take at most 2 bytes, received 3"],
  ];
  for (const [prefix, limits, message] of cases) {
    assertThrows(
      () => checkPrefix(prefix as string, limits),
      TypeError,
      `Cannot create storage: prefix must ${message}`,
      rowName(prefix),
    );
  }
});

Deno.test("checkPrefix() accepts every other prefix", () => {
  checkPrefix("");
  checkPrefix("a b\r\n\0\u{1f36a}");
  checkPrefix("a b\u{1f36a}", { without: "control characters" });
  checkPrefix("é", { maxBytes: 2, without: "spaces or control characters" });
});
