/**
 * Records of which one field is damaged.
 *
 * @module
 */
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial, TrialOpenOptions } from "../../trial/trial.ts";
import { damage } from "./damage.ts";
import { openOwned, signIn } from "./owned.ts";

/** What a field is replaced by; `undefined` removes it. */
const TEXTS: readonly string[] = [
  "",
  "null",
  "-1",
  "9e15",
  '"text"',
  "true",
  "[]",
  "[[]]",
  "{}",
  '{"__proto__":null}',
];

/** A field: the keys that lead to it. */
type Path = readonly (string | number)[];

interface Damage {
  /** Which of the visitor's records. */
  readonly index: number;
  readonly path: Path;
  readonly text: string;
}

/** Damages the fields of a visitor's records, one at a time, and then reads and saves the visitor's session. */
export async function damageEachField(t: Trial): Promise<void> {
  const { records } = await lodge(t, await open(t), "u1");
  const damages: Damage[] = [];
  for (const [index, [, record]] of records.entries()) {
    for (const path of pathsIn(partsOf(record)?.json)) {
      for (const text of TEXTS) damages.push({ index, path, text });
    }
  }
  if (damages.length === 0) t.notApplicable("its records are not JSON");
  // The trace of a failure does not include the runs that passed.
  const lines = t.trace.lines.length;
  const most = 5 * t.runs;
  for (const damage of t.cases(t.random.shuffle(damages).slice(0, most))) {
    t.trace.lines.length = lines;
    await readDamaged(t, damage);
  }
}

async function open(t: Trial): Promise<OpenStorage> {
  const timeouts: TrialOpenOptions = {
    ...t.claims("idle") ? { idleTimeout: t.lifetime } : {},
    ...t.claims("absolute") ? { absoluteTimeout: t.lifetime } : {},
  };
  return t.claims("owners")
    ? await openOwned(t, timeouts)
    : await t.open(timeouts);
}

async function readDamaged(
  t: Trial,
  { index, path, text: field }: Damage,
): Promise<void> {
  const storage = await open(t);
  const userId = "u1";
  const { visitor, records } = await lodge(t, storage, userId);
  const [key, record] = records[index] ?? [];
  const parts = partsOf(record);
  if (key === undefined || !parts) return;
  t.note(
    `${visitor.name}'s record has ${field || "nothing"} in field ${
      path.join(".")
    }`,
  );
  const isHeld = await damage(t, storage.inspect, {
    records: [[key, record ?? ""]],
    change: () => parts.mark + replace(parts.json, path, field),
  });
  if (!isHeld) return;
  const request = await visitor.request();
  const found = request.get("userId");
  t.ok(
    // The values of a session can be edited; its frame cannot.
    found === undefined || found === userId || path.at(-1) === "userId",
    "a damaged record returns other data",
  );
  request.set("visits", 2);
  await request.save();
  const next = await visitor.request();
  t.equal(next.get("visits"), 2, "a save after a damaged record is lost");
  if (!t.claims("owners")) return;
  for (const call of ["list", "destroy"] as const) {
    try {
      await storage.owners[call](userId);
    } catch (error) {
      const { cause } = error as { cause?: { code?: unknown; name?: unknown } };
      const named = cause?.code ?? cause?.name;
      t.ok(
        typeof named === "string" && !PLAIN.includes(named),
        `with a damaged record, ${call} rejects with an error without a code or class of its own`,
      );
    }
  }
}

const PLAIN: readonly string[] = [
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "ReferenceError",
];

/** Signs a visitor in, and finds their records. */
async function lodge(t: Trial, storage: OpenStorage, userId: string) {
  const before = await storage.inspect.records();
  const visitor = await signIn(t, storage, userId);
  await visitor.visit((r) => r.flash("notice", "Hi"));
  const records = [...await storage.inspect.records()]
    .filter(([key]) => !before.has(key));
  if (records.length === 0) t.notRun("inspect does not show a saved session");
  return { visitor, records };
}

/** The JSON in a text, and what is before it; `undefined` if it is not JSON. */
function partsOf(text = ""): { mark: string; json: object } | undefined {
  const mark = /^[^[{]*/.exec(text)?.[0] ?? "";
  try {
    const json: unknown = JSON.parse(text.slice(mark.length));
    return typeof json === "object" && json !== null
      ? { mark, json }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The fields of a value, and their own fields. */
function pathsIn(json: object = {}): Path[] {
  return Object.entries(json).flatMap(([name, value]) => {
    const inner = typeof value === "object" && value !== null
      ? Object.keys(value).slice(0, 3)
      : [];
    return [[name], ...inner.map((key) => [name, key])];
  });
}

/** The JSON of a value with a field replaced by a text; `""` removes it. */
function replace(json: object, path: Path, text: string): string {
  const marker = `damage${Math.random()}`;
  const copy = structuredClone(json);
  let at = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as typeof at;
  const last = path.at(-1) ?? "";
  if (text !== "") at[last] = marker;
  else if (Array.isArray(at)) at.splice(Number(last), 1);
  else delete at[last];
  return JSON.stringify(copy).replace(JSON.stringify(marker), () => text);
}
