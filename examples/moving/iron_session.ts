/** Moves sessions from iron-session, which keeps them in its cookie. */
import type { Cookie, CookieAttributes } from "@satchel/session";
import { sealData, unsealData } from "npm:iron-session@^9.0.1";
import { oldCookie, sealed } from "./bridge.ts";

/** The cookie of iron-session, for a cookie storage. */
export function ironCookie(
  name: string,
  options: { password: string | Record<string, string>; ttl?: number },
  attributes: CookieAttributes = {},
): Cookie {
  return oldCookie(
    name,
    attributes,
    sealed({
      async open(text) {
        if (!text.startsWith("Fe26.2*")) return null;
        const data = await unsealData<Record<string, unknown>>(text, options);
        // The id is a hash of the seal. The text after the seal is not sealed: if it were hashed too, a visitor could
        // make any number of ids for one session.
        const [id = ""] = text.split("~");
        return { data, id };
      },
      seal: (data) => sealData(data, options),
    }),
  );
}
