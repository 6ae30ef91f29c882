import { type Application, nodeServer, serveBuilt } from "./_built.ts";
import type { Driver } from "./_driver.ts";
import { SHARED_RESPONSES } from "./_fetch.ts";

/**
 * An application of TanStack Start.
 *
 * @param options The options of its plugin.
 */
export function tanStackApplication(
  files: Readonly<Record<string, string>>,
  options = "",
): Omit<Application, "main"> {
  return {
    name: "tanstack-start",
    packages: {
      "@tanstack/react-router": "1.170.46",
      "@tanstack/react-start": "1.169.5",
      "@vitejs/plugin-react": "6.0.3",
      react: "19.2.8",
      "react-dom": "19.2.8",
      srvx: "1.0.8",
      // The newest needs a package that npm does not have.
      vite: "8.3.8",
    },
    build: ["vite/bin/vite.js", "build"],
    server: "server.mjs",
    files: {
      "vite.config.js": `
        import { tanstackStart } from "@tanstack/react-start/plugin/vite";
        import react from "@vitejs/plugin-react";
        export default { plugins: [tanstackStart({ ${options} }), react()] };
      `,
      "src/router.jsx": `
        import { createRouter } from "@tanstack/react-router";
        import { routeTree } from "./routeTree.gen";
        export const getRouter = () => createRouter({ routeTree });
      `,
      "src/routes/__root.jsx": `
        import { createRootRoute, HeadContent, Outlet, Scripts } from "@tanstack/react-router";
        export const Route = createRootRoute({
          component: () => <html><head><HeadContent /></head><body><Outlet /><Scripts /></body></html>,
        });
      `,
      "server.mjs": nodeServer(`
        import { toNodeHandler } from "srvx/node";
        import start from "./dist/server/server.js";
        const handler = toNodeHandler((request) => start.fetch(request));
      `),
      ...files,
    },
  };
}

function serve(): ReturnType<Driver["serve"]> {
  const files = {
    "src/start.js": `
      import { createMiddleware, createStart } from "@tanstack/react-start";
      import { middlewares } from "../main.mjs";
      export const startInstance = createStart(() => ({
        requestMiddleware: middlewares.map((each) => createMiddleware().server(each)),
      }));
    `,
    "src/routes/$.js": `
      import { createFileRoute, redirect } from "@tanstack/react-router";
      import { handler } from "../../main.mjs";
      export const Route = createFileRoute("/$")({
        server: { handlers: { ANY: handler({ redirect }) } },
      });
    `,
  };
  return serveBuilt({
    ...tanStackApplication(files),
    main: "./_tanstack_main.ts",
  });
}

/** TanStack Start, built and served by Node. */
export const tanStackStart: Driver = {
  name: "TanStack Start",
  answers: [...SHARED_RESPONSES, "redirect()"],
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "kept",
    twice: 1,
    nothing: "error",
    upgrade: "sent",
  },
  isBuilt: true,
  serve,
};
