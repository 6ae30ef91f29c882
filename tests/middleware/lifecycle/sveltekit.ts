import { type Application, nodeServer, serveBuilt } from "./_built.ts";
import type { Driver } from "./_driver.ts";

/** The files that both versions have. */
const FILES = {
  "src/app.html": "<head>%sveltekit.head%</head><body>%sveltekit.body%</body>",
  "src/routes/[...path]/+server.js": `
    import * as kit from "@sveltejs/kit";
    import { endpoint } from "../../../main.mjs";
    export const trailingSlash = "ignore";
    export const fallback = endpoint(kit);
  `,
  "server.mjs": nodeServer('import { handler } from "./build/handler.js";'),
};

const hooks = (entry: string) => `
  import * as kit from "@sveltejs/kit";
  import { sequence } from "${entry}";
  import { hooks } from "../main.mjs";
  export const { handle, handleError } = hooks({ ...kit, sequence });
`;

const SHARED = {
  main: "./_sveltekit_main.ts",
  build: ["vite/bin/vite.js", "build"],
  server: "server.mjs",
};

/** SvelteKit 3. */
export const APPLICATION: Application = {
  ...SHARED,
  name: "sveltekit-3",
  packages: {
    "@sveltejs/kit": "3.2.0",
    "@sveltejs/adapter-node": "6.0.1",
    "@sveltejs/vite-plugin-svelte": "7.3.0",
    svelte: "5.57.3",
    vite: "8.3.8",
  },
  files: {
    ...FILES,
    "src/hooks.server.js": hooks("@sveltejs/kit/hooks"),
    "vite.config.js": `
      import adapter from "@sveltejs/adapter-node";
      import { sveltekit } from "@sveltejs/kit/vite";
      export default { plugins: [sveltekit({
        adapter: adapter({ precompress: false }),
        csrf: { trustedOrigins: ["*"] },
      })] };
    `,
  },
};

/** SvelteKit 2. */
const BEFORE: Application = {
  ...SHARED,
  name: "sveltekit-2",
  packages: {
    ...APPLICATION.packages,
    "@sveltejs/kit": "2.70.4",
    "@sveltejs/adapter-node": "5.5.4",
  },
  files: {
    ...FILES,
    "src/hooks.server.js": hooks("@sveltejs/kit/hooks"),
    "svelte.config.js": `
      import adapter from "@sveltejs/adapter-node";
      export default { kit: {
        adapter: adapter({ precompress: false }),
        csrf: { trustedOrigins: ["*"] },
      } };
    `,
    "vite.config.js": `
      import { sveltekit } from "@sveltejs/kit/vite";
      export default { plugins: [sveltekit()] };
    `,
  },
};

/** SvelteKit 3, built and served by Node. */
export const svelteKit: Driver = {
  name: "SvelteKit",
  answers: ["Response", "Response.redirect()", "redirect()", "error()"],
  traits: {
    thrownResponse: "error",
    httpError: "answer",
    errorPage: "cleared",
    twice: 2,
    nothing: "error",
    upgrade: "sent",
  },
  isBuilt: true,
  serve: () => serveBuilt(APPLICATION),
};

/** SvelteKit 2, built and served by Node. */
export const svelteKit2: Driver = {
  ...svelteKit,
  name: "SvelteKit 2",
  serve: () => serveBuilt(BEFORE),
};
