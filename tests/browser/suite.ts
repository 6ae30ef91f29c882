/**
 * All scenarios: `deno task test:browser`. Its name does not end with `_test`, so that `deno task test` skips it.
 *
 * @module
 */
import "./sign_in.ts";
import "./flash.ts";
import "./tabs.ts";
import "./remember.ts";
import "./devices.ts";
import "./expiry.ts";
import "./no_script.ts";
import "./cookies.ts";
import "./cross_site.ts";
import "./cross_origin.ts";
import "./outage.ts";
import "./pages.ts";
