/**
 * Makes a checkout use JSR's own packages: takes `links` out of deno.json and
 * keeps no lock file, since it was written for the stand-ins.
 */
import { configPath, readConfig, writeConfig } from "./_project.ts";

const config = readConfig();
delete config.links;
config.lock = false;
writeConfig(configPath, config);
