/** remix-toast, with a storage of one's own. */
import type { Flow, Kit } from "./_flow.ts";
import type { Route } from "./_site.ts";

type Toast = typeof import("npm:remix-toast@4.0.0");
type Utils = ReturnType<Toast["createToastUtilsWithCustomSession"]>;

/** A page that shows the toast, and the routes of a flow. */
function visit(
  { createToastUtilsWithCustomSession }: Toast,
  kit: Kit,
  routes: (utils: Utils) => Record<string, Route>,
) {
  const utils = createToastUtilsWithCustomSession(kit.storage("toast"));
  const home: Route = {
    async loader({ request }) {
      const { toast, headers } = await utils.getToast(request);
      return Response.json(toast ?? null, { headers });
    },
  };
  return kit.serve({ routes: { "/": home, ...routes(utils) } })();
}

export function toastFlows(toast: Toast): Flow[] {
  return [
    {
      name: "remix-toast: a success is shown once, after the redirect",
      sees: ['200 / {"message":"Saved","type":"success"}', "200 / null"],
      async run(kit) {
        const ann = visit(toast, kit, ({ redirectWithSuccess }) => ({
          "/save": { action: () => redirectWithSuccess("/", "Saved") },
        }));
        return [await ann.send("/save"), await ann.open("/")];
      },
    },
    {
      name: "remix-toast: a toast has a description, a duration and a type",
      sees: [
        '200 / {"message":"Gone","description":"All of it","duration":500,"type":"warning"}',
        "200 / null",
      ],
      async run(kit) {
        const ann = visit(toast, kit, ({ redirectWithToast }) => ({
          "/save": {
            action: () =>
              redirectWithToast("/", {
                message: "Gone",
                description: "All of it",
                duration: 500,
                type: "warning",
              }),
          },
        }));
        return [await ann.send("/save"), await ann.open("/")];
      },
    },
    {
      name:
        "remix-toast: data with an error answers, and the next page shows it",
      sees: [
        '200 /save {"ok":false}',
        '200 / {"message":"No","type":"error"}',
        "200 / null",
      ],
      async run(kit) {
        const ann = visit(toast, kit, ({ dataWithError }) => ({
          "/save": { action: () => dataWithError({ ok: false }, "No") },
        }));
        return [
          await ann.send("/save"),
          await ann.open("/"),
          await ann.open("/"),
        ];
      },
    },
    {
      name: "remix-toast: the last of two toasts is shown",
      sees: [
        '200 / {"message":"two","type":"info"}',
        "200 / null",
      ],
      async run(kit) {
        let count = 0;
        const ann = visit(toast, kit, ({ dataWithInfo }) => ({
          "/save": {
            action: () => dataWithInfo(null, ["one", "two"][count++] as string),
          },
        }));
        await ann.send("/save");
        await ann.send("/save");
        return [await ann.open("/"), await ann.open("/")];
      },
    },
    {
      name: "remix-toast: a visitor without a toast sees none",
      sees: ["200 / null", "200 / null"],
      async run(kit) {
        const ann = visit(toast, kit, () => ({}));
        return [await ann.open("/"), await ann.open("/")];
      },
    },
    {
      name: "remix-toast: a toast is shown to its visitor only",
      sees: ["200 / null", '200 / {"message":"Hi","type":"info"}'],
      async run(kit) {
        const utils = toast.createToastUtilsWithCustomSession(kit.storage());
        const visitor = kit.serve({
          routes: {
            "/": {
              async loader({ request }) {
                const { toast, headers } = await utils.getToast(request);
                return Response.json(toast ?? null, { headers });
              },
            },
            "/greet": { action: () => utils.dataWithInfo(null, "Hi") },
          },
        });
        const [ann, bob] = [visitor(), visitor()];
        await ann.send("/greet");
        return [await bob.open("/"), await ann.open("/")];
      },
    },
  ];
}
