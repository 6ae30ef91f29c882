import { type Application, nodeServer, serveBuilt } from "./_built.ts";
import type { Driver } from "./_driver.ts";
import { SHARED_RESPONSES } from "./_fetch.ts";

/** The versions that are tested: the newest, and the one before. */
export type Version = 7 | 6;

const VERSIONS = {
  // The newest vite needs a package that npm does not have.
  7: { astro: "7.3.5", "@astrojs/node": "11.1.6", vite: "8.3.8" },
  6: { astro: "6.4.8", "@astrojs/node": "10.1.4", vite: "7.3.2" },
};

/** An application of Astro. */
export function astroApplication(
  version: Version,
  files: Readonly<Record<string, string>>,
): Omit<Application, "main"> {
  return {
    name: `astro-${version}`,
    packages: VERSIONS[version],
    build: ["astro/bin/astro.mjs", "build"],
    server: "server.mjs",
    files: {
      "astro.config.mjs": `
        import node from "@astrojs/node";
        export default {
          output: "server",
          adapter: node({ mode: "middleware" }),
          // The tests post without an Origin.
          security: { checkOrigin: false },
        };
      `,
      "server.mjs": nodeServer(`
        import { handler as astro } from "./dist/server/entry.mjs";
        // Without a next handler, Astro answers missing pages itself.
        const handler = (req, res) => astro(req, res);
      `),
      ...files,
    },
  };
}

function serve(version: Version): ReturnType<Driver["serve"]> {
  const files = {
    "src/middleware.js": `
      import { sequence } from "astro:middleware";
      import { middlewares } from "../main.mjs";
      export const onRequest = sequence(...middlewares);
    `,
    "src/pages/[...path].js": `
      export { endpoint as ALL } from "../../main.mjs";
    `,
    "src/pages/500.astro": "<p>failed</p>",
  };
  const application = astroApplication(version, files);
  return serveBuilt({ ...application, main: "./_astro_main.ts" });
}

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
  serve: () => serve(7),
};

/** Astro 6, built and served by Node. */
export const astro6: Driver = {
  ...astro,
  name: "Astro 6",
  serve: () => serve(6),
};
