import { type Application, serveBuilt } from "./_built.ts";
import type { Driver } from "./_driver.ts";

/** The versions that are tested: the newest, and the one before. */
export type Version = 16 | 15;

const VERSIONS = { 16: "16.4.6", 15: "15.5.29" };

/** An application of Next. */
export function nextApplication(
  version: Version,
  files: Readonly<Record<string, string>>,
  packages: Readonly<Record<string, string>> = {},
): Omit<Application, "main"> {
  return {
    name: ["next", version, ...Object.keys(packages)].join("-")
      .replaceAll("/", "-"),
    packages: {
      next: VERSIONS[version],
      react: "19.3.1",
      "react-dom": "19.3.1",
      ...packages,
    },
    build: ["next/dist/bin/next", "build"],
    server: "server.mjs",
    env: { NEXT_TELEMETRY_DISABLED: "1" },
    files: {
      "next.config.mjs": `
        export default {
          compress: false,
          experimental: { authInterrupts: true },
          skipTrailingSlashRedirect: true,
          turbopack: { root: new URL("../", import.meta.url).pathname },
          typescript: { ignoreBuildErrors: true },
        };
      `,
      "server.mjs": `
        import { createServer } from "node:http";
        import next from "next";
        const app = next({ dir: import.meta.dirname });
        await app.prepare();
        const server = createServer(app.getRequestHandler());
        server.listen(0, "127.0.0.1", () =>
          console.log("http://127.0.0.1:" + server.address().port));
      `,
      ...files,
    },
  };
}

function serve(version: Version): ReturnType<Driver["serve"]> {
  const files = {
    "app/[...path]/route.js": `
      import { cookies, headers } from "next/headers";
      import { notFound, redirect, unauthorized } from "next/navigation";
      import { handlerOf } from "../../main.mjs";
      const next = { cookies, headers, notFound, redirect, unauthorized };
      export const GET = handlerOf(next);
      export const POST = GET;
    `,
  };
  return serveBuilt({
    ...nextApplication(version, files),
    main: "./_next_main.ts",
  });
}

/** Next 16, built and served by Node. */
export const next: Driver = {
  name: "Next",
  answers: [
    "Response",
    "Response.redirect()",
    "thrown Response",
    "redirect()",
    "notFound()",
  ],
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "kept",
    twice: 2,
    nothing: "error",
    upgrade: "none",
    encoded: "dropped",
  },
  isBuilt: true,
  serve: () => serve(16),
};

/** Next 15, built and served by Node. */
export const next15: Driver = {
  ...next,
  name: "Next 15",
  serve: () => serve(15),
};
