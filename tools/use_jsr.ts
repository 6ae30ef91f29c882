/**
 * Makes a checkout use JSR's own packages: removes the substitutes from deno.json's
 * workspace, and the lock file, which was written for them, from its tasks.
 */
import { configPath, readConfig, substitutes, writeConfig } from "./project.ts";

const config = readConfig();
const removed = substitutes(config);
config.workspace = (config.workspace ?? [])
  .filter((folder) => !removed.includes(folder));
for (const task of Object.values(config.tasks)) {
  task.command = task.command.replace(/ --lock=\S+/, "");
}
writeConfig(configPath, config);
