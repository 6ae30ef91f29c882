/**
 * Makes a checkout use JSR's own packages: takes `links` out of deno.json, and
 * the lock file out of its tasks, since it was written for the stand-ins.
 */
import { configPath, readConfig, writeConfig } from "./project.ts";

const config = readConfig();
delete config.links;
for (const task of Object.values(config.tasks)) {
  task.command = task.command.replace(/ --lock=\S+/, "");
}
writeConfig(configPath, config);
