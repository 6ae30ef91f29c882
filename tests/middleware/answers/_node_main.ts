// deno-lint-ignore-file no-console -- prints its ports
// Serves every host on Node, and prints their ports.
import { writeReadableStreamToWritable } from "@react-router/node";
import compression from "npm:compression@1.8.2";
import express5 from "npm:express@5.3.0";
import express4 from "npm:express@4.22.3";
import expressSession from "npm:express-session@1.19.0";
import * as h3 from "npm:h3@2.0.8";
import { toNodeHandler } from "npm:h3@2.0.8/node";
import onHeaders from "npm:on-headers@1.1.0";
import process from "node:process";
import { Answers, HOSTS } from "./_server.ts";

const packages = {
  compression,
  express4,
  express5,
  expressSession,
  h3,
  onHeaders,
  toNodeHandler,
  writeBody: writeReadableStreamToWritable,
};
process.on("unhandledRejection", (reason) => {
  console.error(reason);
  process.exit(1);
});
const ports = await Promise.all(
  HOSTS.map((host) => new Answers(host, packages).start()),
);
console.log(ports.join(" "));
