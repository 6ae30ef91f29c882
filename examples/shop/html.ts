/**
 * HTML from template strings. Values are escaped, unless they are HTML already.
 *
 * @module
 */

/** Text that is safe to send as HTML. */
export class Html {
  readonly text: string;

  /** @param text HTML that is already escaped. */
  constructor(text: string) {
    this.text = text;
  }
}

/** A value in a template. `undefined` and `false` show nothing. */
export type Content =
  | Html
  | string
  | number
  | undefined
  | false
  | readonly Content[];

/** Builds HTML: ``html`<p>${name}</p>` ``. */
export function html(
  strings: TemplateStringsArray,
  ...contents: Content[]
): Html {
  let text = strings[0] ?? "";
  for (const [index, content] of contents.entries()) {
    text += render(content) + strings[index + 1];
  }
  return new Html(text);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function render(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Html) return content.text;
  if (Array.isArray(content)) return content.map(render).join("");
  return String(content).replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? "");
}
