/** Remix 2, and remix-auth 3. */
import * as library from "npm:@remix-run/node@2.17.5";
import { createRequestHandler } from "npm:@remix-run/server-runtime@2.17.5";
import * as auth from "npm:remix-auth@3.7.0";
import * as form from "npm:remix-auth-form@1.5.0";
import type { Library, Version } from "./_compare.ts";
import { type Auth3, auth3Flows } from "./_auth_3.ts";

export const version: Version = {
  library: library as Library,
  createRequestHandler,
  flows: auth3Flows({ auth, form } as unknown as Auth3),
};
