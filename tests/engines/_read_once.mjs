// Reads one session, and neither closes the storage nor exits.
import process from "node:process";

const { module, create, url, id } = JSON.parse(process.env.READ);
const library = await import(module);
library[create]({ url }).read(id).then((session) => {
  process.stdout.write(`${session.get("user")}\n`);
});
