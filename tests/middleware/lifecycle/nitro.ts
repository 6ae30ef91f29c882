import { nodeServer, serveBuilt } from "./_built.ts";
import type { Driver } from "./_driver.ts";
import { h3v1 } from "./h3_1.ts";

/** Nitro 2, built and served by Node. */
export const nitro: Driver = {
  ...h3v1,
  name: "Nitro",
  // Its page of an error has the URL in it.
  answers: h3v1.answers.filter((name) => !name.includes("createError")),
  isBuilt: true,
  packages: [],
  serve: () =>
    serveBuilt({
      name: "nitro-2",
      packages: { nitropack: "2.13.6", h3: "1.15.11" },
      main: "./_nitro_main.ts",
      build: ["nitropack/dist/cli/index.mjs", "build"],
      env: { NITRO_PRESET: "node-listener" },
      server: "server.mjs",
      files: {
        "nitro.config.mjs":
          'export default { compatibilityDate: "2025-01-01" };',
        "plugins/session.mjs":
          'export { plugin as default } from "../main.mjs";',
        "routes/[...path].mjs": `
          import * as h3 from "h3";
          import { handler } from "../main.mjs";
          export default handler(h3);
        `,
        "server.mjs": nodeServer(
          'import { listener as handler } from "./.output/server/index.mjs";',
        ),
      },
    }),
};
