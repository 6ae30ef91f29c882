import { type Application, nodeServer, serveBuilt } from "./_built.ts";
import type { Driver } from "./_driver.ts";

/** The versions that are tested: the newest, and the one before. */
export type Version = 3 | 2;

const PACKAGES = {
  "@sveltejs/vite-plugin-svelte": "7.3.0",
  svelte: "5.57.3",
  // The newest needs a package that npm does not have.
  vite: "8.3.8",
};

const VERSIONS = {
  3: { "@sveltejs/kit": "3.2.0", "@sveltejs/adapter-node": "6.0.1" },
  2: { "@sveltejs/kit": "2.70.4", "@sveltejs/adapter-node": "5.5.4" },
};

/**
 * An application of SvelteKit.
 *
 * @param options What its configuration has more.
 */
export function svelteKitApplication(
  version: Version,
  files: Readonly<Record<string, string>>,
  options = "",
): Omit<Application, "main"> {
  const kit = `{
    adapter: adapter({ precompress: false }),
    // The tests post without an Origin.
    csrf: { trustedOrigins: ["*"] },
    ${options}
  }`;
  const adapter = 'import adapter from "@sveltejs/adapter-node";';
  const plugin = 'import { sveltekit } from "@sveltejs/kit/vite";';
  return {
    name: `sveltekit-${version}`,
    packages: { ...VERSIONS[version], ...PACKAGES },
    build: ["vite/bin/vite.js", "build"],
    server: "server.mjs",
    files: {
      "vite.config.js": version === 3
        ? `${adapter}${plugin} export default { plugins: [sveltekit(${kit})] };`
        : `${plugin} export default { plugins: [sveltekit()] };`,
      ...(version === 2 && {
        "svelte.config.js": `${adapter} export default { kit: ${kit} };`,
      }),
      "src/app.html":
        "<head>%sveltekit.head%</head><body>%sveltekit.body%</body>",
      "server.mjs": nodeServer(
        'import { handler } from "./build/handler.js";',
      ),
      ...files,
    },
  };
}

function serve(version: Version): ReturnType<Driver["serve"]> {
  const files = {
    "src/hooks.server.js": `
      import * as kit from "@sveltejs/kit";
      import { sequence } from "@sveltejs/kit/hooks";
      import { hooks } from "../main.mjs";
      export const { handle, handleError } = hooks({ ...kit, sequence });
    `,
    "src/routes/[...path]/+server.js": `
      import * as kit from "@sveltejs/kit";
      import { endpoint } from "../../../main.mjs";
      export const trailingSlash = "ignore";
      export const fallback = endpoint(kit);
    `,
  };
  const application = svelteKitApplication(version, files);
  return serveBuilt({ ...application, main: "./_sveltekit_main.ts" });
}

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
  serve: () => serve(3),
};

/** SvelteKit 2, built and served by Node. */
export const svelteKit2: Driver = {
  ...svelteKit,
  name: "SvelteKit 2",
  serve: () => serve(2),
};
