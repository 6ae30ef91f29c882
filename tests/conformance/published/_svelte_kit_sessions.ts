/** The adapter for svelte-kit-sessions: each session that is read is a request, which its `handle` hook receives. */
import type { StorageLike } from "../../../conformance/mod.ts";
import {
  plainData,
  PlainSession,
} from "../../../conformance/adapters/plain_session.ts";
import type {
  Cookies,
  Handle,
  Kit,
  Session,
} from "../../../conformance/reports/reproductions/shared/svelte_kit.ts";

/** The application: it calls `save()` if the session has changed, as the documentation's pages do. */
export function storageBehind(
  handle: Handle,
  { newEvent }: Pick<Kit, "newEvent">,
): StorageLike {
  async function getSession(header?: string | null): Promise<Visited> {
    const event = newEvent(isSendable(header) ? header : "");
    // The hook does nothing after the page, so what a page would do is done later.
    await handle({ event, resolve: async () => new Response() });
    const { session } = event.locals;
    if (!session) throw new Error("the hook did not set locals.session");
    // `rolling` sets the cookie with every response, as documented: that is not what the page's save sends.
    event.cookies.take();
    return new Visited(session, event.cookies);
  }

  async function commitSession(session: Visited): Promise<string> {
    if (session.destroyed) await session.inner.destroy();
    else if (session.changed) {
      if (session.replaced.length > 0) await session.renew();
      await session.inner.setData(session.data);
      await session.inner.save();
    }
    session.settle();
    return session.cookies.take();
  }

  return {
    getSession,
    commitSession,
    destroySession(session: Visited) {
      session.destroy();
      return commitSession(session);
    },
  };
}

/** A session with the methods that the suite calls: the library's has the object `data` only. */
class Visited extends PlainSession {
  inner: Session;
  readonly cookies: Cookies;

  constructor(inner: Session, cookies: Cookies) {
    super(inner.id, plainData(inner.data));
    this.inner = inner;
    this.cookies = cookies;
  }

  /** The library creates the new id when it ends the old one: with the commit. */
  override regenerateId(): void {
    this.replaced.push(this.id);
  }

  async renew(): Promise<void> {
    this.inner = await this.inner.regenerate();
    this.id = this.inner.id;
  }
}

/** Whether an HTTP server would accept the header. */
function isSendable(cookie: string | null | undefined): cookie is string {
  try {
    return Boolean(cookie && new Headers({ cookie }));
  } catch {
    return false;
  }
}
