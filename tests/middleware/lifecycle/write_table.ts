/**
 * Writes the table of frameworks and cases into the documentation.
 *
 * @module
 */
import { cases } from "./_cases.ts";
import { drivers } from "./_drivers.ts";
import { inPage, PAGE, tableOf } from "./_table.ts";

const page = await Deno.readTextFile(PAGE);
await Deno.writeTextFile(PAGE, inPage(page, tableOf(cases, drivers)));
