import { type Application, nodeServer, serveBuilt } from "./_built.ts";
import type { Driver } from "./_driver.ts";
import { SHARED_RESPONSES } from "./_fetch.ts";

/** Astro 7. */
export const APPLICATION: Application = {
  name: "astro-7",
  packages: {
    astro: "7.3.5",
    "@astrojs/node": "11.1.6",
    // The newest needs a package that npm does not have.
    vite: "8.3.8",
  },
  main: "./_astro_main.ts",
  build: ["astro/bin/astro.mjs", "build"],
  server: "server.mjs",
  files: {
    "astro.config.mjs": `
      import node from "@astrojs/node";
      export default {
        output: "server",
        adapter: node({ mode: "middleware" }),
        security: { checkOrigin: false },
      };
    `,
    "src/middleware.js": `
      import { sequence } from "astro:middleware";
      import { middlewares } from "../main.mjs";
      export const onRequest = sequence(...middlewares);
    `,
    "src/pages/[...path].js": `
      export { endpoint as ALL } from "../../main.mjs";
    `,
    "src/pages/500.astro": "<p>failed</p>",
    "server.mjs": nodeServer(
      'import { handler } from "./dist/server/entry.mjs";',
    ),
  },
};

/** Astro 6. */
const BEFORE: Application = {
  ...APPLICATION,
  name: "astro-6",
  packages: { astro: "6.4.8", "@astrojs/node": "10.1.4", vite: "7.3.2" },
};

/** Astro 7, built and served by Node. */
export const astro: Driver = {
  name: "Astro",
  answers: SHARED_RESPONSES,
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "cleared",
    twice: 2,
    nothing: "error",
    upgrade: "sent",
  },
  isBuilt: true,
  serve: () => serveBuilt(APPLICATION),
};

/** Astro 6, built and served by Node. */
export const astro6: Driver = {
  ...astro,
  name: "Astro 6",
  serve: () => serveBuilt(BEFORE),
};
