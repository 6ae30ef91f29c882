/** remix-i18next: the language of a visitor. */
import type { Browser, Flow, Kit } from "./_flow.ts";

type I18next = typeof import("npm:remix-i18next@7.5.0/middleware");
type Detection = Parameters<
  I18next["createI18nextMiddleware"]
>[0]["detection"];

const LANGUAGES = { supportedLanguages: ["en", "de"], fallbackLanguage: "en" };

/** A page that shows the language, and one that keeps it. */
function visit(
  { createI18nextMiddleware }: I18next,
  kit: Kit,
  detection: Omit<Detection, "supportedLanguages" | "fallbackLanguage">,
  keep: (header: string | null, language: string) => Promise<string>,
): Browser {
  const [middleware, getLocale] = createI18nextMiddleware({
    detection: { ...LANGUAGES, ...detection },
  });
  return kit.serve({
    middleware: [middleware],
    routes: {
      "/": { loader: ({ context }) => new Response(getLocale(context)) },
      "/keep": {
        loader: async ({ request, context }) => {
          const header = request.headers.get("Cookie");
          return new Response("kept", {
            headers: { "Set-Cookie": await keep(header, getLocale(context)) },
          });
        },
      },
    },
  })();
}

export function i18nextFlows(i18next: I18next): Flow[] {
  return [
    {
      name: "remix-i18next: the session decides",
      sees: ["200 / en", "200 / de", "200 /?lng=en en", "200 / de"],
      async run(kit) {
        const storage = kit.storage();
        const ann = visit(
          i18next,
          kit,
          { sessionStorage: storage },
          keepIn(storage),
        );
        return [
          await ann.open("/"),
          await ann.open("/keep?lng=de").then(() => ann.open("/")),
          await ann.open("/?lng=en"),
          await ann.open("/"),
        ];
      },
    },
    {
      name: "remix-i18next: the session alone decides, under another key",
      sees: ["200 / en", "200 / de"],
      async run(kit) {
        const storage = kit.storage();
        const ann = visit(i18next, kit, {
          sessionStorage: storage,
          sessionKey: "language",
          order: ["session"],
        }, (header) => keepIn(storage, "language")(header, "de"));
        return [
          await ann.open("/"),
          await ann.open("/keep").then(() => ann.open("/")),
        ];
      },
    },
    {
      name: "remix-i18next: a cookie decides, before the session",
      sees: ["200 / en", "200 / de"],
      async run(kit) {
        const cookie = kit.createCookie("locale", { secrets: ["s3cr3t"] });
        const ann = visit(i18next, kit, {
          sessionStorage: kit.storage(),
          cookie,
        }, (_header, language) => cookie.serialize(language));
        return [
          await ann.open("/"),
          await ann.open("/keep?lng=de").then(() => ann.open("/")),
        ];
      },
    },
  ];
}

function keepIn(
  { getSession, commitSession }: ReturnType<Kit["storage"]>,
  key = "lng",
) {
  return async (header: string | null, language: string) => {
    const session = await getSession(header);
    session.set(key, language);
    return await commitSession(session);
  };
}
