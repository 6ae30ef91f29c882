// Targets for processes on any runtime: the file storage, and ids from a counter that begins again in each process.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import process from "node:process";

const { createFileSessionStorage, createSession } = await import(
  new URL("../../.bundle/mod.js", import.meta.url)
);

export const file = {
  name: "file",
  capabilities: ["revoke", "shared", "durable", "merge"],
  open: ({ namespace, directory }) => ({
    storage: createFileSessionStorage({
      dir: `${directory}/${namespace}`,
      cookie: { name: "session", secrets: ["s3cr3t"] },
    }),
  }),
};

let count = 0;

export const counter = {
  name: "ids from a counter",
  capabilities: ["shared", "durable"],
  open: ({ directory }) => ({
    storage: {
      async read(id) {
        const path = `${directory}/${id}.json`;
        return id !== null && existsSync(path)
          ? createSession(JSON.parse(readFileSync(path, "utf8")), id)
          : createSession({}, `${++count}`);
      },
      async save(session) {
        const path = `${directory}/${session.id}`;
        writeFileSync(`${path}.${process.pid}`, JSON.stringify(session.data));
        renameSync(`${path}.${process.pid}`, `${path}.json`);
        return session.id;
      },
    },
  }),
};
