/**
 * The cookies of each session in a folder that all processes share.
 *
 * @module
 */
import { node } from "./node.ts";
import type { Jar, Ticket } from "./work.ts";

/** A jar in a folder. A line is added by one call, whole or not at all. */
export function fileJar(folder: string): Jar {
  const { appendFileSync, existsSync, readFileSync } = node("fs");
  const file = (session: number) => `${folder}/session-${session}`;
  return {
    tickets(session) {
      if (!existsSync(file(session))) return [];
      return readFileSync(file(session), "utf8").split("\n").slice(0, -1)
        .map((line): Ticket => JSON.parse(line));
    },
    add(session, ticket) {
      appendFileSync(file(session), `${JSON.stringify(ticket)}\n`);
    },
  };
}
