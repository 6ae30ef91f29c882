/**
 * Ids that differ from another by a detail that databases, languages and servers are known to ignore.
 *
 * @module
 */

/** Ids that are not the given one, and how each differs. */
export function twins(id: string): (readonly [what: string, id: string])[] {
  const all: (readonly [string, string])[] = [
    ...byCase(id),
    ...byEnds(id),
    ...byEncoding(id),
    ...byUnicode(id),
    ...byNumber(id),
    ...patterns(id),
  ];
  return all.filter(([, twin]) => twin !== id && twin !== "");
}

/** A collation that ignores case, such as the default of MySQL and of SQL Server. */
function byCase(id: string): [string, string][] {
  const swapped = id.replace(
    /[a-z]/gi,
    (c) => c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase(),
  );
  return [
    ["in small letters", id.toLowerCase()],
    ["in capitals", id.toUpperCase()],
    ["with small letters and capitals swapped", swapped],
  ];
}

/** A collation that ignores accents, width and characters that are not seen. */
function byUnicode(id: string): [string, string][] {
  const wide = (c: string) => String.fromCharCode(c.charCodeAt(0) + 0xfee0);
  // Not every letter has an accented form of one character: the others stay.
  const accented = (c: string) => {
    const both = `${c}\u0301`.normalize("NFC");
    return both.length === 1 ? both : c;
  };
  return [
    [
      "in full-width letters",
      id.normalize("NFKC").replace(/[a-z0-9]/gi, wide),
    ],
    ["with accents", id.replace(/[a-z]/gi, accented)],
    ["with a soft hyphen after it", `${id}\u00ad`],
    ["with a zero-width space after it", `${id}\u200b`],
    ["with a byte order mark before it", `\ufeff${id}`],
  ];
}

/** A column that is padded or too short, a text that is trimmed or ends at a NUL. */
function byEnds(id: string): [string, string][] {
  return [
    ["without its last character", id.slice(0, -1)],
    ["with another character after it", `${id}x`],
    ["with a space after it", `${id} `],
    ["with a space before it", ` ${id}`],
    ["with a tab after it", `${id}\t`],
    ["with a line feed after it", `${id}\n`],
    ["with a NUL after it", `${id}\0`],
    ["with more after a NUL", `${id}\0x`],
  ];
}

/** A value that is decoded once more than it was encoded. */
function byEncoding(id: string): [string, string][] {
  const escape = (c: string) =>
    `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return [
    ["percent-encoded", escape(id) + id.slice(1)],
    ["percent-encoded throughout", id.replace(/./gs, escape)],
    ["in quotes", `"${id}"`],
  ];
}

/** A comparison by pattern: LIKE in SQL, KEYS in Redis, file names, regular expressions. */
function patterns(id: string): [string, string][] {
  return [
    ["that is the pattern %", "%"],
    ["with the pattern % at its end", `${id.slice(0, -1)}%`],
    ["with the pattern _ at its beginning", `_${id.slice(1)}`],
    ["that is the pattern *", "*"],
    ["with the pattern * at its end", `${id.slice(0, -1)}*`],
    ["with the pattern ? at its beginning", `?${id.slice(1)}`],
    ["that is the pattern .*", ".*"],
    ["with the pattern . at its beginning", `.${id.slice(1)}`],
  ];
}

/** An id that is compared as a number, in SQL or by JavaScript's ==. */
function byNumber(id: string): [string, string][] {
  const [digits] = /^[0-9]+/.exec(id) ?? [];
  const all: [string, string][] = [];
  // MySQL reads the digits at the beginning of a text as its number, and 0 where there are none.
  if (digits === undefined) all.push(["that is the number 0", "0"]);
  else if (digits !== id) all.push(["cut to its leading digits", digits]);
  else {
    all.push(
      ["with a 0 before it", `0${id}`],
      ["with .0 after it", `${id}.0`],
      ["with e0 after it", `${id}e0`],
      ["with a + before it", `+${id}`],
      ["in hexadecimal digits", `0x${BigInt(id).toString(16)}`],
    );
  }
  return all;
}
