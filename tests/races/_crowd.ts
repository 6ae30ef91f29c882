/**
 * Many requests at once, in one process: of one session, or logins of one owner.
 */
import { type SessionStorage, withSession } from "@satchel/session";
import { hashId, hashOwner } from "../../core/keys.ts";
import { BoundStorage } from "../../storage/sessions/bound_storage.ts";
import { RecordStorage } from "../../storage/sessions/record_storage.ts";

/** What a process is to do. */
export interface CrowdPlan {
  /** Its name, which begins its own keys. */
  readonly name: string;
  readonly requests: number;
  /** The cookie of the session that all requests change. Without it, all are logins of {@linkcode OWNER}. */
  readonly cookie?: string | undefined;
}

/** What its requests were told. */
export interface Told {
  readonly statuses: readonly number[];
  /** The cookies that were set. */
  readonly cookies: readonly string[];
}

/** The account. */
export const OWNER = "ann";

/** Sends all requests at once. */
export async function crowd(
  storage: SessionStorage,
  { name, requests, cookie }: CrowdPlan,
): Promise<Told> {
  const statuses: number[] = [];
  const cookies: string[] = [];
  let arrived = 0;
  const all = Promise.withResolvers<void>();
  const serve = withSession(storage, async (request, session) => {
    if (++arrived === requests) all.resolve();
    // Each has read the session before the first one saves it.
    await all.promise;
    if (cookie === undefined) {
      session.restart();
      session.set("user", OWNER);
    } else session.set(new URL(request.url).pathname.slice(1), 1);
    return new Response();
  }, {
    // One that fails must not keep the others waiting.
    onUnavailable: () => {
      if (++arrived === requests) all.resolve();
      return new Response(null, { status: 503 });
    },
  });
  const headers: HeadersInit = cookie === undefined ? {} : { cookie };
  await Promise.all(Array.from({ length: requests }, async (_, i) => {
    const url = `http://localhost/${name}.${i}`;
    const answer = await serve(new Request(url, { headers }));
    statuses.push(answer.status);
    const [setCookie] = answer.headers.getSetCookie();
    if (setCookie) cookies.push(setCookie.split(";")[0] ?? "");
  }));
  return { statuses, cookies };
}

/** Stores a session for a crowd, and returns its cookie. */
export async function openSession(storage: SessionStorage): Promise<string> {
  const session = await storage.getSession();
  session.set("first", 1);
  return (await storage.commitSession(session)).split(";")[0] ?? "";
}

/** What is not as it must be after all logins of a crowd: sessions, their list, and its entries. */
export async function badLogins(
  storage: SessionStorage,
  cookies: readonly string[],
): Promise<string[]> {
  const findings: string[] = [];
  const ids = new Set<string>();
  for (const cookie of cookies) {
    const session = await storage.getSession(cookie);
    if (session.get("user") !== OWNER) findings.push("a login is lost");
    else ids.add(hashId(session.id));
  }
  const listed = await storage.listSessions(OWNER);
  if (listed.length !== cookies.length) {
    findings.push(`${listed.length} of ${cookies.length} sessions are listed`);
  }
  const keys = await listedKeys(storage) ?? [...ids];
  const without = keys.filter((key) => !ids.has(key)).length;
  if (without > 0) findings.push(`${without} entries have no session`);
  if (keys.length < ids.size) findings.push(`${keys.length} entries`);
  return findings;
}

/** The keys in the owner's list; `undefined` if the engine finds sessions by their owner. */
async function listedKeys(
  storage: SessionStorage,
): Promise<string[] | undefined> {
  const sessions = storage instanceof BoundStorage && storage.sessions;
  const engine = sessions instanceof RecordStorage && sessions.records.engine;
  if (!engine || engine.owned) return undefined;
  const found = await engine.read(hashOwner(OWNER));
  const [, , entries] = JSON.parse(found?.value ?? "[0, 0, []]");
  return entries.map(([key]: [string]) => key);
}
