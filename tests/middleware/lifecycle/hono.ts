import { App } from "./_app.ts";
import { type Driver, serveFetch, upgradeWithDeno } from "./_driver.ts";
import { serveElsewhere } from "./_elsewhere.ts";
import { SHARED_RESPONSES } from "./_fetch.ts";

/** Hono, on Deno. */
export const hono: Driver = {
  name: "Hono",
  answers: [
    ...SHARED_RESPONSES,
    "HTTPException",
    "HTTPException with a response",
  ],
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "cleared",
    twice: 0,
    nothing: "error",
    upgrade: "sent",
  },
  packages: ["npm:hono@4.13.19"],
  async serve() {
    const { honoApp } = await import("./_hono_app.ts");
    const app = new App();
    return serveFetch(app, honoApp(app, upgradeWithDeno));
  },
};

/** Hono, on Node. Its server has a `Response` class of its own. */
export const honoNode: Driver = {
  ...hono,
  name: "Hono (Node)",
  traits: { ...hono.traits, upgrade: "sent" },
  packages: ["npm:hono@4.13.19", "npm:@hono/node-server@2.1.9"],
  serve: () => serveElsewhere("node20", "./_hono_node_main.ts"),
};
