import type { Driver } from "./_driver.ts";
import { serveElsewhere } from "./_elsewhere.ts";
import { SHARED_RESPONSES } from "./_fetch.ts";

/** Elysia, on Bun. */
export const elysia: Driver = {
  name: "Elysia",
  // Bun can send a Response only once.
  answers: [
    "Headers of a Response",
    "an object",
    "status()",
  ],
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "cleared",
    twice: 2,
    nothing: "answer",
    upgrade: "refused",
  },
  packages: ["npm:elysia@1.4.30"],
  serve: () => serveElsewhere("bun", "./_elysia_bun_main.ts"),
};

/** Elysia, on Node. */
export const elysiaNode: Driver = {
  ...elysia,
  name: "Elysia (Node)",
  answers: [...SHARED_RESPONSES, "an object", "status()"],
  packages: ["npm:elysia@1.4.30", "npm:@elysiajs/node@1.4.5"],
  serve: () =>
    serveElsewhere("node20", "./_elysia_node_main.ts", {
      elysia: "1.4.30",
      "@elysiajs/node": "1.4.5",
    }),
};
