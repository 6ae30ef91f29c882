/** React Router 8, and its companions. */
import * as library from "npm:react-router@8.5.1";
import * as auth from "npm:remix-auth@4.2.0";
import * as form from "npm:remix-auth-form@3.0.0";
import * as i18next from "npm:remix-i18next@8.0.0";
import * as themes from "npm:remix-themes@2.0.4";
import * as toast from "npm:remix-toast@4.0.0";
import * as rolling from "npm:remix-utils@10.0.0/middleware/rolling-cookie";
import * as session from "npm:remix-utils@10.0.0/middleware/session";
import * as typed from "npm:remix-utils@10.0.0/typed-cookie";
import type { Version } from "./_compare.ts";
import { auth4Flows } from "./_auth_4.ts";
import { i18nextFlows } from "./_i18next.ts";
import { themesFlows } from "./_themes.ts";
import { toastFlows } from "./_toast.ts";
import { type Utils, utilsFlows } from "./_utils.ts";

export const version: Version = {
  library,
  createRequestHandler: library.createRequestHandler,
  flows: [
    ...toastFlows(toast),
    ...themesFlows(themes),
    // The types of the flows are those of the version for React Router 7.
    ...utilsFlows({ rolling, session, typed } as unknown as Utils),
    ...i18nextFlows(i18next as never),
    ...auth4Flows({ auth, form }),
  ],
};
