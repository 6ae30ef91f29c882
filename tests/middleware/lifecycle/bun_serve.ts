import type { Driver } from "./_driver.ts";
import { serveElsewhere } from "./_elsewhere.ts";

/** `withSession` on Bun. */
export const bunServe: Driver = {
  name: "Bun.serve",
  traits: {
    thrownResponse: "answer",
    twice: 2,
    nothing: "error",
    upgrade: "refused",
  },
  serve: () => serveElsewhere("bun", "./_bun_main.ts"),
};
