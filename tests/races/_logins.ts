/**
 * One visitor's requests around a login, over a network with random delays, and whether the login held.
 */
import { type SessionStorage, withSession } from "@satchel/session";
import { Random } from "../../conformance/trial/random.ts";
import { Browser, type Network, type Server } from "./_network.ts";

/** What visitors and pages do. */
export interface Habits {
  /** Whether visitors have a session before they sign in. */
  readonly anonymous: boolean;
  /** The share of visitors who sign out in between. @default {0} */
  readonly logout?: number;
  /** For whom pages write: visitors who send a cookie, who have a session, or everybody. @default {"a cookie"} */
  readonly pagesWriteFor?: "a cookie" | "a session" | "everybody";
  /** How long ago, in milliseconds, the session was saved when the visitor signs in. @default {0} */
  readonly age?: number;
}

/** What became of the visitors. */
export interface Tally {
  /** Visitors who were told that they are signed in, and did not sign out later. */
  logins: number;
  /** Those of them who were not signed in. */
  lost: number;
  /** Answers of 500 or above. */
  failed: number;
  /** What the first visitors who lost their login had sent. */
  readonly traces: string[];
}

/** Options of {@linkcode signIns}. */
export interface Runs {
  /** How many visitors there are. */
  readonly runs: number;
  /** The storage of their first visits, if their sessions are moved. */
  readonly from?: SessionStorage | undefined;
}

const PAGES = ["/", "/", "/", "/cart", "/note", "/prefetch", "/whoami"];

/** Lets visitors sign in, one after another. */
export async function signIns(
  storage: SessionStorage,
  network: Network,
  habits: Habits,
  { runs, from = storage }: Runs,
): Promise<Tally> {
  const tally: Tally = { logins: 0, lost: 0, failed: 0, traces: [] };
  const before = server(from, network, habits);
  const after = server(storage, network, habits);
  const serve: Server = (request) =>
    request.url.endsWith("?first") ? before(request) : after(request);
  using _timers = network.takeTimers();
  for (let run = 0; run < runs; run++) {
    network.random = new Random(run);
    await new Visitor(network, serve, `ann-${run}`, tally).visit(habits);
  }
  return tally;
}

/** The site. */
function server(
  storage: SessionStorage,
  network: Network,
  { pagesWriteFor = "a cookie" }: Habits,
): Server {
  return withSession(storage, async (request, session) => {
    const { pathname, searchParams } = new URL(request.url);
    const first = searchParams.has("first");
    const writes = first || pagesWriteFor === "everybody" ||
      (pagesWriteFor === "a cookie"
        ? request.headers.has("Cookie")
        : session.size > 0);
    // A password takes a while to check.
    await network.sleep(network.between(0, pathname === "/login" ? 150 : 40));
    switch (pathname) {
      case "/":
      case "/prefetch":
        if (writes) session.set("visits", (session.get("visits") ?? 0) + 1);
        break;
      case "/cart":
        if (writes) session.flash("note", "added");
        break;
      case "/note":
        session.get("note");
        break;
      case "/login":
        session.restart();
        session.set("user", searchParams.get("user"));
        break;
      case "/logout":
        session.destroy();
        break;
    }
    await network.sleep(network.between(0, 20));
    return new Response(session.destroyed ? "" : session.get("user"));
  });
}

/** A visitor, who signs in. */
class Visitor {
  readonly #network: Network;
  readonly #browser: Browser;
  readonly #user: string;
  readonly #tally: Tally;
  readonly #trace: string[] = [];
  /** What the visitor was told last, and when. */
  #told: { signedIn: boolean; at: number } | undefined;
  /** When the visitor last sent a logout. */
  #left = -Infinity;

  constructor(network: Network, serve: Server, user: string, tally: Tally) {
    this.#network = network;
    this.#browser = new Browser(network, serve);
    this.#user = user;
    this.#tally = tally;
  }

  async visit({ anonymous, logout = 0, age = 0 }: Habits): Promise<void> {
    const network = this.#network;
    if (anonymous) {
      await network.run([() => this.#send("/?first")]);
      network.now += age;
    }
    const requests: [at: number, path: string, lost?: boolean][] = [];
    const signIn = `/login?user=${this.#user}`;
    const first = network.between(50, 250);
    const twice = network.chance(0.5);
    requests.push([first, signIn, twice && network.chance(0.4)]);
    if (twice) requests.push([first + network.between(1, 250), signIn]);
    if (network.chance(logout)) {
      requests.push([network.between(0, 400), "/logout", network.chance(0.2)]);
    }
    for (let pages = network.between(3, 7); pages > 0; pages--) {
      const page = network.random.pick(PAGES);
      requests.push([network.between(0, 500), page, network.chance(0.1)]);
    }
    await network.run(requests.map(([at, path, lost]) => async () => {
      await network.sleep(at);
      await this.#send(path, lost);
    }));
    // A logout that was sent after the answer holds, whatever became of its own answer.
    if (!this.#told?.signedIn || this.#left >= this.#told.at) return;
    const tally = this.#tally;
    tally.logins++;
    let shown: string | undefined;
    await network.run([async () => {
      shown = (await this.#browser.send("/whoami"))?.text;
    }]);
    if (shown === this.#user) return;
    tally.lost++;
    if (tally.traces.length < 3) tally.traces.push(this.#trace.join("\n"));
  }

  async #send(path: string, lost = false): Promise<void> {
    const network = this.#network;
    const browser = this.#browser;
    const { cookie } = browser;
    const sent = network.now;
    const posts = path.startsWith("/log");
    const answer = await browser.send(path, {
      lost,
      method: posts ? "POST" : "GET",
      headers: path === "/prefetch" ? { "Sec-Purpose": "prefetch" } : {},
    });
    const now = network.now;
    const sets = answer?.sets ? `, sets ${short(browser.cookie)}` : "";
    this.#trace.push(
      `${sent}: ${path} with ${short(cookie)}; ${now}: ${
        answer ? "answered" : "lost"
      }${sets}`,
    );
    if (path === "/logout") this.#left = Math.max(this.#left, sent);
    if (!answer) return;
    if (answer.status >= 500) this.#tally.failed++;
    else if (posts) this.#told = { signedIn: path !== "/logout", at: now };
  }
}

function short(cookie: string | undefined): string {
  return cookie?.slice(-6) ?? "no cookie";
}
