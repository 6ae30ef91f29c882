import type { Driver } from "./_driver.ts";
import { serveElsewhere } from "./_elsewhere.ts";

/** `withSession` on Bun. */
export const bunServe: Driver = {
  name: "Bun.serve",
  // Bun takes the headers of a Response when it sends it, so a Response can be sent only once.
  answers: ["Headers of a Response"],
  traits: {
    thrownResponse: "answer",
    httpError: "answer",
    errorPage: "kept",
    twice: 2,
    nothing: "error",
    upgrade: "refused",
  },
  serve: () => serveElsewhere("bun", "./_bun_main.ts"),
};
