/**
 * A visitor who keeps cookies, as a browser does.
 *
 * @module
 */
import { CookieJar } from "../../testing/mod.ts";
import type { Answer, Client } from "./lifecycle/_client.ts";

/** Sends requests with the cookies of earlier answers. */
export class Visitor {
  readonly #client: Client;
  readonly #jar: CookieJar = new CookieJar();

  constructor(client: Client) {
    this.#client = client;
  }

  /** The `Cookie` header. */
  get cookie(): string {
    return this.#jar.header();
  }

  /** Requests a page. */
  async get(path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (this.cookie) headers.set("cookie", this.cookie);
    const answer = await this.#client.request(path, "", { ...init, headers });
    this.#jar.take(answer);
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
