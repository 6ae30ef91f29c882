/**
 * Texts and keys with the character NUL.
 *
 * @module
 */
import type { VisitorRequest } from "../../trial/visitor.ts";

/** What has a NUL, how it is put into a session, and how it is found. */
export const WITH_NUL: readonly (readonly [
  what: string,
  put: (request: VisitorRequest) => void,
  find: (request: VisitorRequest) => unknown,
])[] = [
  ...["\0", "\0a", "a\0", "a\0b"].map((text) =>
    [
      "a value",
      (r: VisitorRequest) => r.set("value", text),
      (r: VisitorRequest) => found(r.get("value"), text),
    ] as const
  ),
  [
    "a flash",
    (r) => r.flash("flash", ["a\0b"]),
    (r) => found((r.get("flash") as unknown[] | undefined)?.[0], "a\0b"),
  ],
  [
    "a key",
    (r) => r.set("a\0b", "kept"),
    (r) => r.get("a\0b") ?? r.get("a") ?? r.get("ab"),
  ],
  [
    "a key of an object",
    (r) => r.set("value", { "a\0b": "kept" }),
    (r) => {
      const object = r.get("value") as Record<string, unknown> | undefined;
      return object && (object["a\0b"] ?? "another key");
    },
  ],
];

/** "kept" for the text itself; `undefined` if there is none. */
function found(got: unknown, text: string): unknown {
  return got === text ? "kept" : got;
}
