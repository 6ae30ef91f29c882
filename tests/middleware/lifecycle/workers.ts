import { PACKAGES, startWorkerd } from "../../engines/_workerd.ts";
import type { Driver } from "./_driver.ts";
import { bundle } from "./_elsewhere.ts";
import { SHARED_RESPONSES } from "./_fetch.ts";

/** `withSession` in workerd, Cloudflare's runtime. */
export const workers: Driver = {
  name: "Workers",
  answers: SHARED_RESPONSES,
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "kept",
    twice: 2,
    nothing: "error",
    upgrade: "sent",
  },
  packages: PACKAGES,
  async serve() {
    const file = await Deno.makeTempFile({ suffix: ".mjs" });
    try {
      await bundle("./_worker_main.ts", file);
      // So that one request can wait for another, as the tests' queries do.
      const flag = "no_handle_cross_request_promise_resolution";
      const script = await Deno.readTextFile(file);
      const { origin } = await startWorkerd({ script, flags: [flag] });
      // workerd ends with this process.
      return { origin, stop: () => Promise.resolve() };
    } finally {
      await Deno.remove(file);
    }
  },
};
