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

/** Why a rule does not apply to a profile; `undefined` where it does. */
export function exempt(
  profile: Profile | undefined,
  rule: string,
): string | undefined {
  return EXEMPTIONS[profile ?? "satchel"]?.[rule];
}
