import { assert, assertEquals } from "@std/assert";
import { SessionError } from "../../core/errors.ts";
import type { SessionEvent, SessionStorage } from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { createCookie } from "../../core/cookie.ts";
import { rowName } from "../_row.ts";
import { Clock, cookieHeader } from "../core/_support.ts";
import { FakeEngine } from "./_fake_engine.ts";

const secrets = ["s3cr3t"];
const DAY = 86_400;

/** JSON texts in the place of one element. */
const GARBAGE = [
  '"x"',
  '""',
  "true",
  "[]",
  "[[]]",
  "[1,2]",
  '["x"]',
  "[null]",
  "1e400",
  "-1e400",
  "[1e400]",
  "8.64e16",
  "-8.64e16",
  "[8.64e16]",
  "[-8.64e16]",
  "-1",
  "{}",
  '{"f":1}',
  "null",
  "5",
  "0.5",
  "8.64e15",
  "-8.64e15",
  "[8.64e15]",
  "[-8.64e15]",
  "[0]",
];

const numbers = ["5", "0.5", "8.64e15"];
const negatives = ["-1", "-8.64e15"];
const instants = [...numbers, ...negatives];

/** What each element of a life can be, apart from the right text. */
const LIFE = {
  created: instants,
  saved: instants,
  lifetime: ["null", ...numbers, "[8.64e15]", "[-8.64e15]", "[0]"],
  span: numbers,
  authenticated: ["null", ...instants],
};

/** What each element of a record can be. */
const RECORD: Record<string, readonly string[]> = {
  version: [],
  check: [],
  ...LIFE,
  values: ["{}", '{"f":1}'],
  flashes: ["{}", '{"f":1}'],
  tags: ["{}"],
  owner: ["null"],
};

/** A storage whose only session a test can damage. */
interface Patient {
  readonly storage: SessionStorage;
  readonly events: SessionEvent["type"][];
  /** The JSON texts of the parts that can be damaged. */
  parts(): string[];
  /** Replaces them. Returns the `Cookie` header of the session from then on. */
  damage(parts: readonly string[]): Promise<string>;
}

interface Ward {
  readonly name: string;
  /** The names of the parts, and what each can be. */
  readonly parts: Record<string, readonly string[]>;
  readonly rejects?: SessionEvent["type"];
  admit(timeouts: object): Promise<Patient>;
}

/** The elements of a JSON array, as texts. */
function split(json: string): string[] {
  return (JSON.parse(json) as unknown[]).map((part) => JSON.stringify(part));
}

const join = (parts: readonly string[]): string => `[${parts.join(",")}]`;

/** What each member of the older formats can be. */
const META: Record<string, readonly string[]> = { ...LIFE, expires: instants };

/** The same, if it is parsed and written again on its way: JSON writes infinity as `null`. */
const PARSED: Record<string, readonly string[]> = {
  ...META,
  lifetime: [...LIFE.lifetime, "1e400", "-1e400"],
  authenticated: [...LIFE.authenticated, "1e400", "-1e400"],
};

function inCookie(format: "satchel" | "react-router" | "remix"): Ward {
  return {
    name: `cookie storage, format ${format}`,
    parts: format === "satchel"
      ? { ...RECORD, check: ['""'], owner: ["null"] }
      : format === "remix"
      ? META
      : PARSED,
    rejects: format === "satchel" ? "corrupt-record" : "rejected-cookie",
    admit: async (timeouts) => {
      const events: SessionEvent["type"][] = [];
      const storage = createCookieSessionStorage({
        cookie: { name: "s", secrets, format, maxAge: 7 * DAY },
        now: new Clock().now,
        onEvent: ({ type }) => events.push(type),
        ...timeouts,
      });
      const plain = createCookie("s", {
        secrets,
        format,
        encrypt: format === "satchel",
      });
      // Writes the text as it is. React Router's cookies have the same bytes, percent-encoded.
      const writer = format === "satchel"
        ? plain
        : createCookie("s", { secrets, format: "remix" });
      const header = await begin(storage);
      const value = await plain.parse(header);
      const text = typeof value === "string" ? value : JSON.stringify(value);
      const [, before = "", parts = "", after = ""] = format === "satchel"
        ? /^([^[]*)(\[.*\])()$/.exec(text) ?? []
        : /^(.*"(?:__satchel__|m)":)(\[.*\])(})$/.exec(text) ?? [];
      return {
        storage,
        events,
        parts: () => split(parts),
        damage: async (damaged) => {
          const whole = before + join(damaged) + after;
          const pair = cookieHeader(await writer.serialize(whole));
          return format === "react-router"
            ? `s=${encodeURIComponent(pair.slice("s=".length))}`
            : pair;
        },
      };
    },
  };
}

async function begin(storage: SessionStorage): Promise<string> {
  const session = await storage.getSession();
  session.restart();
  session.set("user", "ann");
  session.flash("f", "hi");
  return cookieHeader(
    await storage.commitSession(session, { maxAge: 30 * DAY }),
  );
}

const WARDS: readonly Ward[] = [
  {
    name: "engine",
    parts: RECORD,
    admit: async (timeouts) => {
      const events: SessionEvent["type"][] = [];
      const engine = new FakeEngine();
      const storage = createSessionStorage({
        engine,
        cookie: { name: "s", secrets, maxAge: 7 * DAY },
        now: new Clock().now,
        onEvent: ({ type }) => events.push(type),
        owner: ({ user }) => user,
        ...timeouts,
      });
      const header = await begin(storage);
      const [key, record] = [...engine.records].find(([, { value }]) =>
        value.startsWith("[2,")
      )!;
      return {
        storage,
        events,
        parts: () => split(record.value),
        damage: async (parts) => {
          engine.records.set(key, { ...record, value: join(parts) });
          return header;
        },
      };
    },
  },
  {
    name: "four functions",
    parts: PARSED,
    admit: async (timeouts) => {
      const events: SessionEvent["type"][] = [];
      const rows = new Map<string, Record<string, unknown>>();
      const storage = createSessionStorage({
        cookie: { name: "s", secrets, maxAge: 7 * DAY },
        now: new Clock().now,
        onEvent: ({ type }) => events.push(type),
        ...timeouts,
        async createData(data, expires) {
          expires.toISOString();
          const id = `row-${rows.size}`;
          rows.set(id, data);
          return id;
        },
        async readData(id) {
          return rows.get(id) ?? null;
        },
        async updateData(id, data, expires) {
          // As a driver does, which throws for an invalid date.
          expires.toISOString();
          rows.set(id, data);
        },
        async deleteData(id) {
          rows.delete(id);
        },
      });
      const header = await begin(storage);
      const [[id, row]] = [...rows] as [[string, Record<string, unknown>]];
      return {
        storage,
        events,
        parts: () => split(JSON.stringify(row["__satchel__"])),
        damage: async (parts) => {
          rows.set(id, { ...row, __satchel__: JSON.parse(join(parts)) });
          return header;
        },
      };
    },
  },
  inCookie("satchel"),
  inCookie("react-router"),
  inCookie("remix"),
];

const TIMEOUTS = [
  {},
  { idleTimeout: DAY },
  { absoluteTimeout: DAY, rolling: true },
];

for (
  const { name, parts: allowed, rejects = "corrupt-record", admit } of WARDS
) {
  Deno.test(`getSession() takes a record for corrupt, when one of its parts is damaged, on ${name}`, async () => {
    for (const timeouts of TIMEOUTS) {
      const names = Object.keys(allowed);
      const edits = names.flatMap((part, at) =>
        GARBAGE.map((text) => ({
          part,
          text,
          edit: (parts: string[]) => parts.with(at, text),
        }))
      );
      const none = { part: "none", text: "" };
      edits.push(
        { ...none, edit: (parts) => parts.slice(0, -1) },
        { ...none, edit: (parts) => [...parts, "null"] },
      );
      for (const { part, text, edit } of edits) {
        const row = rowName(name, timeouts, part, text);
        const patient = await admit(timeouts);
        const { storage, events } = patient;
        const whole = patient.parts();
        assertEquals(whole.length, names.length, row);
        const header = await patient.damage(edit(whole));
        events.length = 0;
        const session = await storage.getSession(header);
        if (allowed[part]?.includes(text)) {
          // Whether it lives follows from its instants; that it can be saved must not.
          session.set("n", 1);
          assert(await storage.commitSession(session), row);
          assert(!events.includes("corrupt-record"), row);
        } else {
          assertEquals(session.size, 0, row);
          assertEquals(events, [rejects], row);
          assertEquals(await storage.commitSession(session), "", row);
          session.set("n", 1);
          const next = cookieHeader(await storage.commitSession(session));
          assertEquals((await storage.getSession(next)).get("n"), 1, row);
        }
      }
    }
  });

  Deno.test(`commitSession() never rejects with an untyped error, when the record was damaged, on ${name}`, async () => {
    for (const timeouts of TIMEOUTS) {
      for (const at of (await admit(timeouts)).parts().keys()) {
        for (const text of GARBAGE) {
          for (const change of [false, true]) {
            const row = rowName(name, timeouts, at, text, change);
            const patient = await admit(timeouts);
            const header = await patient.damage(
              patient.parts().with(at, text),
            );
            const session = await patient.storage.getSession(header);
            if (change) session.set("n", 1);
            for (const renew of [false, true]) {
              const error = await patient.storage
                .commitSession(session, { renew })
                .then(() => undefined, (error) => error);
              assert(
                error === undefined || error instanceof SessionError,
                `${row}: ${error}`,
              );
            }
          }
        }
      }
    }
  });
}

Deno.test("getSession() takes a record for corrupt, when the engine returns no instant as its deadline", async () => {
  for (const expires of [Infinity, -Infinity, NaN]) {
    const events: SessionEvent["type"][] = [];
    const engine = new FakeEngine();
    const storage = createSessionStorage({
      engine,
      idleTimeout: DAY,
      now: new Clock().now,
      onEvent: ({ type }) => events.push(type),
    });
    const header = await begin(storage);
    const [[key, record]] = [...engine.records] as [
      [string, typeof engine.record],
    ];
    engine.records.set(key, { ...record, expires });
    events.length = 0;
    const session = await storage.getSession(header);
    assertEquals(session.size, 0, rowName(expires));
    const event = expires === Infinity ? "corrupt-record" : "expired";
    assertEquals(events, [event], rowName(expires));
  }
});
