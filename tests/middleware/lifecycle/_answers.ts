/**
 * The handlers of paths such as `/change/answer/500`: what is done to the session, and how the request ends.
 *
 * @module
 */
import { type App, count, type Reply, type Sessions, text } from "./_app.ts";

/** What a handler does to the session before it answers. */
const ACTIONS: Record<string, (sessions: Sessions, who: string) => void> = {
  look() {},
  change({ session }) {
    count(session);
  },
  login({ session }, who) {
    session.regenerateId();
    session.set("user", who);
  },
  logout({ session }) {
    session.destroy();
  },
  both({ session, other }) {
    session.set("a", 1);
    other.set("b", 2);
  },
};

/** The statuses of responses without a body. */
const BODILESS = [204, 205, 304];

/** `gzip` of "packed", as an application may keep it. */
export const PACKED = "H4sIAAAAAAACAytITM5OTQEAELT2IQYAAAA=";

/** What an application says to shared caches. */
export const FOR_SHARED_CACHES: readonly [string, string][] = [
  ["Cache-Control", "public, max-age=600, s-maxage=60"],
  ["CDN-Cache-Control", "max-age=60"],
  ["Cloudflare-CDN-Cache-Control", "max-age=60"],
  ["Surrogate-Control", "max-age=60"],
];

/** Runs the handler of a path. */
export async function visitAnswer(
  app: App,
  path: string,
  sessions: Sessions,
): Promise<Reply> {
  const [action = "", how, what = "", who = ""] = path.split("/").slice(1)
    .map(decodeURIComponent);
  const { session } = sessions;
  if (action === "flashes") {
    // In this order, because `get` consumes a flash.
    const { size, data } = session;
    const has = session.has("notice");
    const value = session.get("notice") ?? null;
    return text(JSON.stringify({ has, size, keys: Object.keys(data), value }));
  }
  const act = ACTIONS[action];
  if (!act || !how) return text("no such page", 404);
  act(sessions, who);
  const status = Number(what);
  switch (how) {
    case "answer": {
      const body = BODILESS.includes(status) ? null : "answered";
      return text(body, status, [["X-Own", "1"]]);
    }
    case "http-error":
      return { kind: "http error", status };
    case "throw":
      return { kind: "throw" };
    case "throw-redirect":
      return { kind: "throw redirect", to: "/notice" };
    case "live":
      return {
        kind: "live",
        // In Workers, one request cannot wait for another, but it can wait for a server.
        rest: async () => await (await fetch(what)).text(),
      };
    case "passed":
      return { kind: "passed", from: what };
    case "encoded":
      return text(bytesOf(PACKED), 200, [
        ["Content-Encoding", "gzip"],
        ["Content-Type", "text/plain"],
      ]);
    case "cached":
      return text("cached", 200, [...FOR_SHARED_CACHES]);
    case "gone":
      await app.gate();
      return text("nobody reads this");
    case "shared":
      return { kind: "shared", name: what };
    default:
      return text("no such page", 404);
  }
}

/** Decodes base64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
