/**
 * Provokes errors, and collects their messages and what is logged.
 *
 * @module
 */
import { Violation } from "../../trial/port.ts";
import type { Trial } from "../../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../../trial/visitor.ts";
import { damage } from "./damage.ts";

/** What was reported, and the secrets that must not be in it. */
export interface Heard {
  /** Name and text of each secret. */
  readonly secrets: readonly (readonly [string, string])[];
  /** Errors and log lines. */
  readonly texts: readonly { readonly what: string; readonly text: string }[];
}

/** Provokes errors around a session that holds a value. */
export async function provoke(t: Trial, marker: string): Promise<Heard> {
  const texts: { what: string; text: string }[] = [];
  const secrets: [string, string][] = [["a value", marker]];
  const stop = listen((text) => texts.push({ what: "a log line", text }));
  const tried = async (
    what: string,
    work: () => Promise<unknown>,
    show = textOf,
  ) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const text = show(error.cause);
      texts.push({ what: `the error about ${what}`, text });
    }
  };
  try {
    const visitor = await holding(t, marker, secrets);
    for (const [what, bad] of badValues(marker)) {
      await tried(what, async () => {
        const request = await visitor.request();
        request.set("card", bad);
        await request.save();
      });
    }
    await tried("an expired session", async () => {
      const request = await visitor.request();
      await request.destroy();
      request.set("card", marker);
      await request.save();
    });
    await provokeDamage(t, marker, secrets, tried);
    await provokeTooLarge(t, marker, secrets, tried);
    await provokeFaults(t, marker, secrets, tried);
  } finally {
    stop();
  }
  return { secrets, texts };
}

type Tried = (
  what: string,
  work: () => Promise<unknown>,
  show?: (error: unknown) => string,
) => Promise<void>;

async function holding(
  t: Trial,
  marker: string,
  secrets: [string, string][],
): Promise<Visitor> {
  const visitor = await t.visitor();
  await visitor.visit((r) => r.set("card", marker));
  const { id } = await visitor.request();
  if (id.length >= 8) secrets.push(["an id", id]);
  const { cookie } = visitor;
  if (cookie !== null && visitor.storage.port.http) {
    secrets.push(["a cookie", cookie.slice(cookie.indexOf("=") + 1)]);
  } else if (cookie !== null) secrets.push(["a cookie", cookie]);
  return visitor;
}

/** Values that hold the marker and something that JSON cannot represent. */
function badValues(card: string): [string, unknown][] {
  const cycle: unknown[] = [card];
  cycle.push(cycle);
  return [
    ["a BigInt", { card, bad: 10n }],
    ["a function", [card, () => card]],
    ["a Map", new Map([[card, card]])],
    ["a symbol", { card, bad: Symbol(card) }],
    ["a class", { bad: new URL(`http://localhost/${card}`) }],
    ["a cycle", cycle],
    ["NaN", [card, NaN]],
  ];
}

async function provokeDamage(
  t: Trial,
  marker: string,
  secrets: [string, string][],
  tried: Tried,
): Promise<void> {
  const visitor = await holding(t, marker, secrets);
  const work = (r: VisitorRequest) => r.set("visits", 1);
  await tried("a forged cookie", async () => {
    work(await visitor.request(`${visitor.cookie}x`));
  });
  if (!t.claims("inspect")) return;
  const { inspect } = visitor.storage;
  for (const text of [`{"card":"${marker}`, `${marker}{}`, `[${marker}]`]) {
    const records = await inspect.records();
    if (!await damage(t, inspect, { records, change: () => text })) continue;
    await tried("a damaged record", () => visitor.visit(work));
  }
}

async function provokeTooLarge(
  t: Trial,
  marker: string,
  secrets: [string, string][],
  tried: Tried,
): Promise<void> {
  const { recordBytes } = t.limits;
  if (recordBytes === undefined) return;
  const visitor = await holding(t, marker, secrets);
  const times = Math.ceil(recordBytes * 2 / marker.length);
  await tried(
    "a record that is too large",
    () => visitor.visit((r) => r.set("card", marker.repeat(times))),
  );
}

async function provokeFaults(
  t: Trial,
  marker: string,
  secrets: [string, string][],
  tried: Tried,
): Promise<void> {
  if (!t.claims("faults")) return;
  const visitor = await holding(t, marker, secrets);
  const { faults } = visitor.storage;
  const request = await visitor.request();
  request.set("card", `${marker} again`);
  await faults.fail({ reads: true, writes: true });
  // Its cause is the engine's own error, which the target is responsible for.
  const message = (error: unknown) =>
    error instanceof Error ? error.message : "";
  try {
    await tried("a failed write", () => request.save(), message);
    await tried("a failed read", () => visitor.request(), message);
    await tried("a failed delete", () => request.destroy(), message);
  } finally {
    await faults.heal();
  }
}

/** Listens to the console, which still prints. Returns a function that stops listening. */
function listen(report: (text: string) => void): () => void {
  const own: object = Reflect.get(globalThis, "console");
  const console = own as Record<string, unknown>;
  const methods = ["debug", "dir", "error", "info", "log", "trace", "warn"];
  const before = new Map(methods.map((name) => [name, console[name]]));
  for (const [name, method] of before) {
    if (typeof method !== "function") continue;
    console[name] = (...values: unknown[]) => {
      report(values.map(textOf).join(" "));
      method.apply(console, values);
    };
  }
  return () => {
    for (const [name, method] of before) console[name] = method;
  };
}

/** All text of an error or a value: messages, properties, causes. */
function textOf(value: unknown): string {
  const seen = new Set<unknown>();
  const read = (value: unknown): string => {
    if (typeof value !== "object" || value === null) return String(value);
    if (seen.has(value)) return "";
    seen.add(value);
    const own = Object.values(value).map(read);
    if (!(value instanceof Error)) return own.join(" ");
    const { name, message, cause } = value;
    const errors = value instanceof AggregateError ? value.errors : [];
    return [name, message, ...own, ...[cause, ...errors].map(read)].join(" ");
  };
  return read(value);
}
