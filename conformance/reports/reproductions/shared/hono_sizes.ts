/** Sessions of hono-sessions that are too large for a cookie. */
import assert from "node:assert/strict";
import type { Show } from "../run.ts";
import type { Page, Site } from "./hono_site.ts";

/** Shows what happens to a page that saves too much. */
function tooLarge(page: Page): Show<Site> {
  return {
    visitor:
      "A page saves more than fits into a cookie. The browser drops the cookie without an error, and the change is lost.",
    async show(site) {
      const { header, status } = await site.visit(null, page);
      assert(
        status === 500 || header.length <= 4096,
        "it sends a cookie of more than 4096 bytes",
      );
    },
  };
}

/** The reproductions, by rule. */
export const sizeShows: Readonly<Record<string, Show<Site>>> = {
  "SIZE-01": { ...tooLarge((s) => s.set("text", "x".repeat(65_536))) },
  "SIZE-02": { ...tooLarge((s) => s.set("text", "é".repeat(32_768))) },
  "SIZE-03": { ...tooLarge((s) => s.flash("text", "x".repeat(65_536))) },
  "SIZE-04": {
    ...tooLarge((s) => {
      for (let i = 0; i < 10_000; i++) s.set(`k${i}`, i);
    }),
  },
};
