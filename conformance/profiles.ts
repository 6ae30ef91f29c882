/**
 * Rules that do not apply to an older library, because it behaves otherwise by design and documents it.
 *
 * @module
 */
import type { Profile } from "./types.ts";

const REMIX_FLASH =
  "in Remix 3 a flash lasts for exactly the next request, read or not";
const RR_FLASH =
  "in React Router it depends on the version whether unset() removes a flash";

const RR_COMMIT =
  "in React Router commitSession() always writes and sends; the application decides when to call it";
const RR_LIFETIME =
  "in React Router the maxAge of a commit applies to that cookie only; the application passes it each time";
const RR_DEADLINE =
  "in React Router a commit fixes the deadline, by the cookie's lifetime at that time";

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
      "EXPIRY-12": RR_DEADLINE,
      "CONC-03": RR_COMMIT,
      "UNSET-06": RR_FLASH,
    },
  };

const RR_ID =
  "another id (in React Router the id is empty until the session is stored)";
const RR_MODEL =
  `that unset removes a flash, and that an unchanged session sends no cookie (${RR_FLASH}, and commitSession() always sends one)`;
const PLAIN_ERROR =
  "an error with a code or class of its own (the library throws plain errors)";

/** Parts of rules that do not apply, although the rest of the rule does. */
const EXEMPT_PARTS: Readonly<
  Record<Profile, Readonly<Record<string, string>>>
> = {
  satchel: {},
  remix: {
    "HOSTILE-06": PLAIN_ERROR,
    "MODEL-01": `flashes (${REMIX_FLASH})`,
    "MODEL-02": `flashes (${REMIX_FLASH})`,
    "SERIAL-01": "null (in Remix 3 setting null removes the key)",
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

/** The part of a rule that does not apply to a profile; `undefined` if the whole rule applies. */
export function exemptPart(
  profile: Profile | undefined,
  rule: string,
): string | undefined {
  return EXEMPT_PARTS[profile ?? "satchel"]?.[rule];
}

/** Why a rule does not apply to a profile; `undefined` if it applies. */
export function exempt(
  profile: Profile | undefined,
  rule: string,
): string | undefined {
  return EXEMPTIONS[profile ?? "satchel"]?.[rule];
}
