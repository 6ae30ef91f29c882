/**
 * Where an older library chose otherwise, by design and in its documentation: rules that do not apply to it.
 *
 * @module
 */
import type { Profile } from "./types.ts";

const REMIX_FLASH =
  "in Remix 3 a flash lives for the next request, read or not";
const RR_FLASH = "in React Router unset() leaves a flash";

const RR_COMMIT =
  "in React Router commitSession() always writes and sends; the application decides when to call it";
const RR_LIFETIME =
  "in React Router a commit's lifetime is an attribute of the one cookie that it gives; the application gives it each time";

const EXEMPTIONS: Readonly<Record<Profile, Readonly<Record<string, string>>>> =
  {
    satchel: {},
    remix: {
      "FLASH-02": REMIX_FLASH,
      "FLASH-04": REMIX_FLASH,
      "FLASH-05": REMIX_FLASH,
      "FLASH-12": REMIX_FLASH,
      "UNSET-06": REMIX_FLASH,
    },
    "react-router": {
      "PERSIST-02": RR_COMMIT,
      "UNSET-02": RR_COMMIT,
      "EXPIRY-11": RR_LIFETIME,
      "CONC-03": RR_COMMIT,
      "UNSET-06": RR_FLASH,
    },
  };

const RR_ID = "another id: in React Router an id is empty until it is stored";
const RR_MODEL =
  `that unset removes a flash, and that an untouched session sends nothing: ${RR_FLASH}, and commitSession() always sends`;
const PLAIN_ERROR = "an error of its own kind: this library's are plain";

/** What a rule that applies does not ask all the same. */
const SPARED: Readonly<Record<Profile, Readonly<Record<string, string>>>> = {
  satchel: {},
  remix: {
    "HOSTILE-06": PLAIN_ERROR,
    "MODEL-01": `flashes: ${REMIX_FLASH}`,
    "MODEL-02": `flashes: ${REMIX_FLASH}`,
    "SERIAL-01": "null: in Remix 3 setting null removes the key",
  },
  "react-router": {
    "PERSIST-05": RR_ID,
    "PERSIST-09": RR_ID,
    "EXPIRY-02": RR_ID,
    "HOSTILE-04": RR_ID,
    "HOSTILE-05": RR_ID,
    "HOSTILE-06": PLAIN_ERROR,
    "MODEL-01": RR_MODEL,
    "MODEL-02": RR_MODEL,
  },
};

/** What a rule that applies to a profile does not ask of it; `undefined` where it asks everything. */
export function spared(
  profile: Profile | undefined,
  rule: string,
): string | undefined {
  return SPARED[profile ?? "satchel"]?.[rule];
}

/** Why a rule does not apply to a profile; `undefined` where it does. */
export function exempt(
  profile: Profile | undefined,
  rule: string,
): string | undefined {
  return EXEMPTIONS[profile ?? "satchel"]?.[rule];
}
