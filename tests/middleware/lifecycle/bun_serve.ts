import { runtime } from "../../runtimes/_runtime.ts";
import type { Driver } from "./_driver.ts";
import { bundle } from "./_elsewhere.ts";

/** `withSession` on Bun. */
export const bunServe: Driver = {
  name: "Bun.serve",
  traits: {
    thrownResponse: "answer",
    twice: 2,
    nothing: "error",
    upgrade: "refused",
  },
  async serve() {
    const main = await Deno.makeTempFile({ suffix: ".mjs" });
    await Deno.writeTextFile(main, await bundle("./_bun_main.ts"));
    const child = new Deno.Command(await runtime("bun", "1.4.5"), {
      args: [main],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let printed = "";
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    while (!printed.includes("\n")) {
      const { value, done } = await lines.read();
      if (done) throw new Error("Bun ended before it listened");
      printed += value;
    }
    return {
      origin: printed.trim(),
      async stop() {
        child.kill("SIGKILL");
        await child.stdin.close().catch(() => {});
        await lines.cancel();
        await child.status;
        await Deno.remove(main);
      },
    };
  },
};
