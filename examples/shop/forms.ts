/**
 * Reads posted forms.
 *
 * @module
 */

/** The largest form that is read, in bytes. The shop's own forms are much smaller. */
const MAX_BYTES = 8 * 1024;

/** Thrown for a request that cannot be served. `withSession` then saves nothing. */
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
  const type = request.headers.get("Content-Type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    throw new RequestError(415, "Only forms can be posted here.");
  }
  return new URLSearchParams(await readText(request));
}

/** The value of a field. A form without it does not come from this shop. */
export function field(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value === null) {
    throw new RequestError(400, `The form lacks the field “${name}”.`);
  }
  return value;
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
    throw new RequestError(400, "The form is incomplete.");
  }
  if (bytes > MAX_BYTES) throw new RequestError(413, "The form is too large.");
  return text + decoder.decode();
}
