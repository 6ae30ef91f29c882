/**
 * All scenarios: `deno task test:browser`. Not named as tests are, because `deno task test` should not need a browser.
 *
 * @module
 */
import "./sign_in.ts";
import "./flash.ts";
import "./tabs.ts";
import "./remember.ts";
import "./expiry.ts";
import "./no_script.ts";
import "./cookies.ts";
import "./cross_site.ts";
import "./outage.ts";
import "./pages.ts";
