/**
 * A Worker that passes requests on to Durable Objects: Miniflare's own way to them, from another process, waits for
 * ever on Deno. Bundled.
 */
import {
  SessionObject,
  type SessionObjectState,
} from "../../storage/engines/durable_object/object.ts";

/** More of an object's state than sessions need. */
interface State extends SessionObjectState {
  readonly storage: SessionObjectState["storage"] & {
    readonly kv: { list(): Iterable<unknown> };
    getAlarm(): Promise<number | null>;
    sync(): Promise<void>;
  };
  abort(reason: string): void;
}

/** How many answers are still to be lost. Objects share it with the Worker. */
let losing = 0;

/** The class, with a view of its inside. */
export class TestObject extends SessionObject {
  readonly #state: State;

  constructor(state: State) {
    super(state);
    this.#state = state;
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const { storage } = this.#state;
    if (pathname === "/alarm") await this.alarm();
    if (pathname !== "/") {
      const entries = [...storage.kv.list()].length;
      return Response.json({ entries, alarm: await storage.getAlarm() });
    }
    const response = await super.fetch(request);
    if (losing > 0) {
      losing--;
      await storage.sync();
      this.#state.abort("a new version was deployed");
    }
    return response;
  }
}

/** Objects of another class. */
export class OtherObject {
  fetch(): Response {
    return new Response("Hello");
  }
}

interface Namespace {
  idFromName(name: string): unknown;
  get(id: unknown): {
    fetch(url: string, init: { method: string; body: string }): Response;
  };
}

const worker: {
  fetch(request: Request, env: { OBJECTS: Namespace }): Promise<Response>;
} = {
  async fetch(request, { OBJECTS }) {
    const { pathname, searchParams } = new URL(request.url);
    losing = Number(searchParams.get("lose") ?? losing);
    const body = await request.text();
    const [, name = "", path = ""] = pathname.split("/");
    try {
      const stub = OBJECTS.get(OBJECTS.idFromName(decodeURIComponent(name)));
      return await stub.fetch(`https://o/${path}`, { method: "POST", body });
    } catch (error) {
      const { message, durableObjectReset } = error as Record<string, unknown>;
      const lost = { message, durableObjectReset };
      return Response.json(lost, { status: 500 });
    }
  },
};

export default worker;
