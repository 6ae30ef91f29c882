/**
 * Reads what browsers post, and refuses what they should not have sent.
 *
 * @module
 */

/** No form of the shop comes near this many bytes. */
const MAX_BYTES = 8 * 1024;

/** A request that cannot be served, and why. Thrown: `withSession` then saves nothing. */
export class RequestError extends Error {
  /** The response's status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Reads a posted form. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  refuseOtherSites(request);
  const type = request.headers.get("Content-Type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    throw new RequestError(415, "Only forms can be posted here.");
  }
  return new URLSearchParams(await readText(request));
}

/** The value of a field; a form without it was not made by this shop. */
export function field(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value === null) {
    throw new RequestError(400, `The form lacks the field “${name}”.`);
  }
  return value;
}

/**
 * Another site may post a form to this one. `SameSite=Lax` keeps the session's cookie out of such a request; this keeps
 * the request out altogether.
 */
function refuseOtherSites({ headers }: Request): void {
  const site = headers.get("Sec-Fetch-Site");
  const origin = headers.get("Origin");
  // Browsers too old for the first header send the second; what sends neither is no browser.
  const own = site !== null
    ? site === "same-origin" || site === "none"
    : origin === null || URL.parse(origin)?.host === headers.get("Host");
  if (!own) {
    throw new RequestError(403, "This form was sent from another site.");
  }
}

async function readText({ body }: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) break;
      text += decoder.decode(chunk, { stream: true });
    }
  } catch {
    throw new RequestError(400, "The form broke off.");
  }
  if (bytes > MAX_BYTES) throw new RequestError(413, "The form is too large.");
  return text + decoder.decode();
}
