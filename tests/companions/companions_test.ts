// Companions of React Router and Remix show a visitor the same with this library's storages as with the original's.
import { assert, assertEquals } from "@std/assert";
import type { Printed } from "./_main.ts";

const VERSIONS = {
  react_router_8: "React Router 8",
  react_router_7: "React Router 7",
  remix_2: "Remix 2",
};

for (const [name, version] of Object.entries(VERSIONS)) {
  Deno.test(`companions of ${version} show the same with this library's storages`, async (t) => {
    const printed = await compare(name);
    if ("missing" in printed) {
      await t.step({
        name: `engine skipped: companions of ${version}: ${printed.missing}`,
        ignore: Deno.env.get("CI") !== "true",
        fn() {
          throw new Error(printed.missing);
        },
      });
      return;
    }
    assert(printed.length > 0);
    for (const { name, sees, there, here } of printed) {
      await t.step(name, () => {
        assertEquals({ there, here }, { there: sees, here: sees });
      });
    }
  });
}

async function compare(name: string): Promise<Printed> {
  const main = new URL("_main.ts", import.meta.url);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // The lock has one version of what the companions share.
    args: ["run", "-A", "--no-check", "--no-lock", main.href, name],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(text.decode(stderr));
  return JSON.parse(text.decode(stdout).trim().split("\n").at(-1) ?? "");
}
