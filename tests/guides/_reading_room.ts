/**
 * An application with the guides' login, for the storages that the guides describe.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { redirect } from "react-router";
import type { SessionStorage } from "../../mod.ts";
import { json, type RouteModule } from "./_routes.ts";
import type { Visitor } from "./_visitor.ts";

/** The functions of a session storage that route modules export. */
export type Storage = Pick<
  SessionStorage,
  "getSession" | "commitSession" | "destroySession"
>;

/** The application of most tests: a reading room with pages to sign in, to sign out and to read. */
export function readingRoom(storage: Storage): Record<string, RouteModule> {
  const { getSession, commitSession, destroySession } = storage;
  const pins = new Map([["ida", "1815"]]);
  const recognise = async (name: unknown, pin: unknown) =>
    pins.get(String(name)) === pin ? String(name) : null;
  return {
    "/desk": {
      async loader({ request }) {
        const session = await getSession(request.headers.get("Cookie"));
        if (session.has("reader")) return redirect("/");
        const data = { refusal: session.get("refusal") };
        return json(data, {
          headers: { "Set-Cookie": await commitSession(session) },
        });
      },
      async action({ request }) {
        const session = await getSession(request.headers.get("Cookie"));
        const card = await request.formData();
        const name = card.get("name");
        const pin = card.get("pin");
        const reader = await recognise(name, pin);
        if (reader === null) {
          session.flash("refusal", "The desk does not know this card");
          return redirect("/desk", {
            headers: { "Set-Cookie": await commitSession(session) },
          });
        }
        session.set("reader", reader);
        return redirect("/", {
          headers: { "Set-Cookie": await commitSession(session) },
        });
      },
      page: ({ refusal }) => refusal ?? "Your card, please",
    },
    "/door": {
      async action({ request }) {
        const session = await getSession(request.headers.get("Cookie"));
        return redirect("/desk", {
          headers: { "Set-Cookie": await destroySession(session) },
        });
      },
    },
    "/": {
      async loader({ request }) {
        const session = await getSession(request.headers.get("Cookie"));
        return { reader: session.get("reader") };
      },
      page: ({ reader }) => reader ? `${reader} reads` : "An empty chair",
    },
  };
}

/** The user and password. */
export const IDA: Record<string, string> = { name: "ida", pin: "1815" };

/** Signs in and out, and returns the headers that set and cleared the cookie. */
export async function assertVisit(visitor: Visitor): Promise<[string, string]> {
  assertEquals((await visitor.open("/")).text, "An empty chair");
  const signedIn = await visitor.send("/desk", IDA);
  assertEquals([signedIn.path, signedIn.text], ["/", "ida reads"]);
  assertEquals((await visitor.open("/")).text, "ida reads");
  const cookie = visitor.cookies();
  const left = await visitor.send("/door");
  assertEquals([left.path, left.text], ["/desk", "Your card, please"]);
  assertEquals(visitor.cookies(), "");
  assertEquals((await visitor.open("/")).text, "An empty chair");
  // If the server keeps the session, a copy of the cookie stops working too.
  const [, name = "", value = ""] = cookie.match(/^(.*?)=(.*)$/) ?? [];
  visitor.plant(name, value);
  assertEquals((await visitor.open("/")).text, "An empty chair");
  return [signedIn.setCookies[0] ?? "", left.setCookies[0] ?? ""];
}
