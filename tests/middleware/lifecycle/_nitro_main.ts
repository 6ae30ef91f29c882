import { type NitroEventLike, session } from "../../../middleware/nitro.ts";
import { type H3, handlerOf } from "./_h3_1_app.ts";
import { app } from "./_node_app.ts";

interface NitroApp {
  readonly h3App: {
    handler(
      event: NitroEventLike & { node: { req: { url?: string } } },
    ): unknown;
    options: unknown;
  };
  readonly hooks: {
    hook(
      name: "error",
      run: (error: { cause?: unknown; unhandled?: boolean }) => void,
    ): void;
  };
}

/** The plugin. */
export function plugin(nitro: NitroApp): void {
  session(app.other, { key: "other", ...app.strict })(nitro);
  session(app.storage)(nitro);
  const { handler } = nitro.h3App;
  nitro.h3App.handler = async (event) => {
    const { req, res } = event.node;
    const { url = "" } = req;
    // The tests' queries do not have a session.
    if (url.startsWith("/control/")) res.end(await app.control(url));
    else return await handler(event);
  };
  nitro.hooks.hook("error", ({ unhandled, cause }) => {
    if (unhandled) app.failed(cause);
  });
}

/** The handler of every path. */
export function handler(h3: H3): unknown {
  return handlerOf(app, h3);
}
