/**
 * A visitor who keeps cookies, as a browser does.
 *
 * @module
 */
import type { Answer, Client } from "./lifecycle/_client.ts";

/** Sends requests with the cookies of earlier answers. */
export class Visitor {
  readonly #client: Client;
  readonly #cookies: Map<string, string> = new Map();

  constructor(client: Client) {
    this.#client = client;
  }

  /** The `Cookie` header. */
  get cookie(): string {
    return [...this.#cookies].map((pair) => pair.join("=")).join("; ");
  }

  /** Requests a page. */
  async get(path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (this.#cookies.size > 0) headers.set("cookie", this.cookie);
    const answer = await this.#client.request(path, "", { ...init, headers });
    for (const each of answer.setCookies) {
      const [pair = "", ...attributes] = each.split(/;\s*/);
      const at = pair.indexOf("=");
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      const isExpired = attributes.some((each) =>
        /^expires=.* 1970/i.test(each)
      );
      if (isExpired) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer;
  }

  /** Sends a form. */
  async post(
    path: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const body = new URLSearchParams(fields);
    return await this.get(path, { method: "POST", body, headers });
  }
}
