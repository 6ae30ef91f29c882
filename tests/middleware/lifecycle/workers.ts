import { PACKAGES } from "../../engines/_workerd.ts";
import type { Driver } from "./_driver.ts";
import { bundle } from "./_elsewhere.ts";

/** `withSession` on Workers: Miniflare's workerd. */
export const workers: Driver = {
  name: "Workers",
  traits: {
    thrownResponse: "answer",
    twice: 2,
    nothing: "error",
    upgrade: "sent",
  },
  packages: PACKAGES,
  async serve() {
    const { Miniflare } = await import("npm:miniflare@4.20260730.0");
    const worker = new Miniflare({
      modules: true,
      script: await bundle("./_workers_main.ts"),
      compatibilityDate: "2026-07-01",
      host: "127.0.0.1",
      port: 0,
    });
    const { origin } = await worker.ready;
    return { origin, stop: () => worker.dispose() };
  },
};
