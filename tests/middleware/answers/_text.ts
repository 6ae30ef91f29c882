/** Returns a text of a length: lines that differ, so that compression does not reduce them to nothing. */
export function text(length: number): string {
  let found = texts.get(length);
  if (found === undefined) {
    const lines: string[] = [];
    for (let i = 0, at = 0; at < length; i++) {
      const line = `${i * 2654435761 % 4294967296} lines of a text\n`;
      lines.push(line);
      at += line.length;
    }
    found = lines.join("").slice(0, length);
    texts.set(length, found);
  }
  return found;
}

const texts = new Map<number, string>();
