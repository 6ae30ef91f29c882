/** React Router 7, and its companions. */
import * as library from "npm:react-router@7.18.7";
import * as auth from "npm:remix-auth@4.2.0";
import * as form from "npm:remix-auth-form@3.0.0";
import * as i18next from "npm:remix-i18next@7.5.0/middleware";
import * as themes from "npm:remix-themes@2.0.4";
import * as toast from "npm:remix-toast@4.0.0";
import * as rolling from "npm:remix-utils@9.3.1/middleware/rolling-cookie";
import * as session from "npm:remix-utils@9.3.1/middleware/session";
import * as typed from "npm:remix-utils@9.3.1/typed-cookie";
import type { Library, Version } from "./_compare.ts";
import { auth4Flows } from "./_auth_4.ts";
import { i18nextFlows } from "./_i18next.ts";
import { themesFlows } from "./_themes.ts";
import { toastFlows } from "./_toast.ts";
import { utilsFlows } from "./_utils.ts";

export const version: Version = {
  library: library as Library,
  createRequestHandler: library.createRequestHandler,
  flows: [
    ...toastFlows(toast),
    ...themesFlows(themes),
    ...utilsFlows({ rolling, session, typed }),
    ...i18nextFlows(i18next),
    ...auth4Flows({ auth, form }),
  ],
};
