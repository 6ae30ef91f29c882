import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  fenceProblems,
  isPublished,
  type Linked,
  linkProblems,
} from "./readme.ts";

function fence(info: string, body = "x") {
  return "text\n```" + info + "\n" + body + "\n```\n";
}

Deno.test("fenceProblems() finds nothing in checked code and plain text", () => {
  assertEquals(fenceProblems(fence("ts") + fence("sh") + fence("text")), []);
  assertEquals(fenceProblems(fence("ts no-run")), []);
});

Deno.test("fenceProblems() names the line of what is not checked", () => {
  assertEquals(fenceProblems(fence("")), [
    "line 2: the fence names no language",
  ]);
  assertEquals(fenceProblems(fence("ts") + fence("ts ignore")), [
    "line 6: it is ignored",
  ]);
  assertEquals(fenceProblems(fence("js")), [
    "line 2: js is not type-checked, write ts",
  ]);
});

Deno.test("fenceProblems() finds a fence that is left open", () => {
  assertEquals(fenceProblems("```ts\nx\n"), ["the last fence is not closed"]);
});

const publish = {
  include: ["docs/", "README.md"],
  exclude: ["**/*_test.ts", "docs/decisions"],
};

Deno.test("isPublished() follows the lists of deno.json", () => {
  assert(isPublished("README.md", publish));
  assert(isPublished("docs/guide.md", publish));
  assertFalse(isPublished("CONTRIBUTING.md", publish));
  assertFalse(isPublished("docs/decisions/001.md", publish));
  assertFalse(isPublished("docs/some_test.ts", publish));
});

function linkedFrom(path: string, text: string): string[] {
  const files: Record<string, string> = {
    "README.md": "# Satchel",
    "CONTRIBUTING.md": "# Contributing",
    "docs/guide.md":
      "# Guide\n\n## `set`, and get\n\n```sh\n# no heading\n```\n",
    [path]: text,
  };
  const linked: Linked = {
    exists: (path) => Object.hasOwn(files, path),
    read: (path) => files[path] ?? "",
    publish,
  };
  return linkProblems(path, linked);
}

Deno.test("linkProblems() accepts absolute links, published files and headings", () => {
  const links = [
    "[a](https://example.com/b.md)",
    "[a](docs/guide.md)",
    "![a](docs/guide.md#set-and-get)",
    "[a](#here)\n\n## Here",
    "`[a](b.md)`",
    fence("md", "[a](b.md)"),
  ];
  for (const link of links) {
    assertEquals(linkedFrom("README.md", link), [], link);
  }
  assertEquals(linkedFrom("docs/guide.md", "[a](../README.md)"), []);
  assertEquals(linkedFrom("CONTRIBUTING.md", "[a](CONTRIBUTING.md)"), []);
});

Deno.test("linkProblems() names the links that lead nowhere", () => {
  assertEquals(linkedFrom("README.md", "[a](guide.md)"), [
    "guide.md is not a file of this repository",
  ]);
  assertEquals(linkedFrom("docs/guide.md", "[a](../CONTRIBUTING.md)"), [
    "../CONTRIBUTING.md is not published: write an absolute link",
  ]);
  assertEquals(linkedFrom("README.md", "[a](docs/guide.md#no-heading)"), [
    "docs/guide.md#no-heading is not a heading of docs/guide.md",
  ]);
});
