/** remix-themes. */
import type { Browser, Flow, Kit } from "./_flow.ts";

type Themes = typeof import("npm:remix-themes@2.0.4");

function visit(
  { createThemeAction, createThemeSessionResolver }: Themes,
  kit: Kit,
): Browser {
  const resolver = createThemeSessionResolver(kit.storage("theme"));
  return kit.serve({
    routes: {
      "/": {
        loader: async ({ request }) =>
          Response.json((await resolver(request)).getTheme()),
      },
      "/set-theme": { action: createThemeAction(resolver) as never },
    },
  })();
}

export function themesFlows(themes: Themes): Flow[] {
  return [
    {
      name: "remix-themes: a chosen theme stays",
      sees: [
        "200 / null",
        '200 /set-theme {"success":true}',
        '200 / "dark"',
        '200 / "dark"',
      ],
      async run(kit) {
        const ann = visit(themes, kit);
        return [
          await ann.open("/"),
          await ann.post("/set-theme", { theme: "dark" }),
          await ann.open("/"),
          await ann.open("/"),
        ];
      },
    },
    {
      name: "remix-themes: the last choice counts",
      sees: ['200 / "dark"', '200 / "light"'],
      async run(kit) {
        const ann = visit(themes, kit);
        await ann.post("/set-theme", { theme: "dark" });
        const dark = await ann.open("/");
        await ann.post("/set-theme", { theme: "light" });
        return [dark, await ann.open("/")];
      },
    },
    {
      name: "remix-themes: the system's theme ends the session and its cookie",
      sees: [["theme"], '200 /set-theme {"success":true}', [], "200 / null"],
      async run(kit) {
        const ann = visit(themes, kit);
        await ann.post("/set-theme", { theme: "dark" });
        return [
          ann.cookies(),
          await ann.post("/set-theme", { theme: null }),
          ann.cookies(),
          await ann.open("/"),
        ];
      },
    },
    {
      name: "remix-themes: an unknown theme changes nothing",
      sees: [
        '200 /set-theme {"success":false,"message":"theme value of pink is not a valid theme."}',
        '200 / "dark"',
      ],
      async run(kit) {
        const ann = visit(themes, kit);
        await ann.post("/set-theme", { theme: "dark" });
        return [
          await ann.post("/set-theme", { theme: "pink" }),
          await ann.open("/"),
        ];
      },
    },
  ];
}
