import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { fileURLToPath } from "node:url";
import { type CliHost, runCli } from "../../conformance/command/command.ts";
import { UsageError } from "../../conformance/command/args.ts";
import {
  type Report,
  RULE_SET,
  rules,
  type Target,
} from "../../conformance/mod.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { rowName } from "../_row.ts";
import { memoryTarget } from "./targets.ts";

const memory: Target = {
  name: "memory",
  capabilities: ["revoke", "merge"],
  clock: { kind: "virtual", advance() {} },
  open: ({ namespace: _, ...options }) => ({
    storage: createMemorySessionStorage(options),
  }),
};

/** Consumes no flash: FLASH-03 and others fail. */
const sticky: Target = {
  ...memory,
  name: "sticky",
  async open({ namespace: _, ...options }) {
    const storage = createMemorySessionStorage(options);
    return {
      storage: {
        save: storage.save.bind(storage),
        async read(value: string | null) {
          const session = await storage.read(value);
          const get = session.get.bind(session);
          return Object.defineProperty(session, "get", {
            value(key: string) {
              const value = get(key);
              if (key === "notice" && value) session.flash(key, value);
              return value;
            },
          });
        },
      },
    };
  },
};

interface Run {
  status: number;
  out: string;
  err: string;
  saved: Map<string, string>;
  progress: string[];
}

async function run(
  args: string,
  exports: Record<string, unknown> | Error = { default: memory },
  files: Record<string, string> = {},
  deadline?: string,
): Promise<Run> {
  let out = "";
  let err = "";
  const saved = new Map<string, string>();
  const progress: string[] = [];
  const host: CliHost = {
    command: "suite",
    deadline,
    colour: false,
    write: (text) => void (out += text),
    complain: (text) => void (err += text),
    progress: (text) => void progress.push(text),
    async read(file) {
      const text = files[file];
      if (text === undefined) throw new Error("no such file");
      return text;
    },
    async save(file, text) {
      if (file.startsWith("locked")) throw new Error("read-only");
      saved.set(file, text);
    },
    async load() {
      if (exports instanceof Error) throw exports;
      return exports;
    },
    address: (specifier) => new URL(specifier, import.meta.url).href,
  };
  const status = await runCli(args.split(" ").filter(Boolean), host);
  return { status, out, err, saved, progress };
}

Deno.test("cli gives status 0, for a conformant target", async () => {
  const { status, out, err } = await run("t.ts --seed 3");
  assertEquals([status, err], [0, ""]);
  assertMatch(out, /^memory · rules 2026\.2 · seed 3\n/);
  assertMatch(out, /\nconformant: \d+ passed, \d+ not applicable\n$/);
});

Deno.test("cli gives status 0, for a selection of rules", async () => {
  const { status, out } = await run("t.ts --only flash,UNSET-01 --seed 3");
  assertEquals(status, 0);
  assertMatch(out, /\npartial: 14 passed\n$/);
});

Deno.test("cli gives status 1 and the command to see it again, for a broken rule", async () => {
  const { status, out } = await run("./my\\target.ts --only FLASH --seed 3", {
    default: sticky,
  });
  assertEquals(status, 1);
  assertStringIncludes(out, "✗ FLASH-03 failed\n");
  assertStringIncludes(
    out,
    "  again   suite './my\\target.ts' --only FLASH-03 --seed 3\n",
  );
});

Deno.test("cli gives status 2, for a target whose open throws", async () => {
  const broken = {
    ...memory,
    open() {
      throw new Error("no engine");
    },
  };
  const { status, out } = await run("t.ts", { default: broken });
  assertEquals(status, 2);
  assertStringIncludes(out, "open() threw: Error: no engine");
});

Deno.test("cli gives status 3, for a claim that cannot be tried", async () => {
  const { name, open } = memory;
  const target: Target = { name, open, capabilities: ["expiry"] };
  const { status, out } = await run("t.ts", { default: target });
  assertEquals(status, 3);
  assertMatch(
    out,
    /EXPIRY-01, 02[^:]*: the target does\s+not have a\s+clock/,
  );
});

const baseline = (expected: unknown, ruleSet = RULE_SET) => ({
  "b.json": JSON.stringify({ ruleSet, expected }),
});

Deno.test("cli gives status 0, for failures that the baseline expects", async () => {
  const { out: all } = await run("t.ts --json --only FLASH", {
    default: sticky,
  });
  const failing = (JSON.parse(all) as Report).results
    .filter(({ outcome }) => outcome === "fail")
    .map(({ rule }) => [rule, "sticky on purpose"]);
  const { status, out } = await run(
    "t.ts --only FLASH --baseline b.json",
    { default: sticky },
    baseline(Object.fromEntries(failing)),
  );
  assertEquals(status, 0, out);
  assertStringIncludes(out, "Failed as expected\n");
});

Deno.test("cli gives status 1, for a baseline that is stale", async () => {
  const { status, out } = await run(
    "t.ts --baseline b.json",
    undefined,
    baseline({ "FLASH-03": "was broken" }),
  );
  assertEquals(status, 1);
  assertStringIncludes(out, "^ FLASH-03 unexpectedly passed\n");
});

Deno.test("cli shows all targets that a file exports, and gives the worst status", async () => {
  for (
    const exports of [{ default: [memory, sticky] }, { memory, sticky, x: 1 }]
  ) {
    const { status, out } = await run("t.ts --only FLASH", exports);
    assertEquals(status, 1, rowName(exports));
    assertMatch(
      out,
      /\n2 targets: 1 partial, 1 nonconformant\n$/,
      rowName(exports),
    );
  }
});

Deno.test("cli takes the deadline of a rule from --deadline, and else from the environment", async () => {
  const hanging = { ...memory, open: () => new Promise(() => {}) };
  const rows: [args: string, deadline: string | undefined, ms: string][] = [
    ["--deadline 0.03", undefined, "30 ms"],
    ["", "0.04", "40 ms"],
    ["--deadline 0.03", "0.04", "30 ms"],
  ];
  for (const [args, deadline, ms] of rows) {
    const { status, out } = await run(
      `t.ts --only FLASH-01 --seed 3 ${args}`,
      { default: hanging },
      {},
      deadline,
    );
    const name = `${args} ${deadline}`;
    assertEquals(status, 2, name);
    assertStringIncludes(out, `took more than ${ms}`, name);
    assertStringIncludes(out, "--seed 3 --deadline 0.0", name);
  }
  const wrong = await run("t.ts", undefined, {}, "soon");
  assertEquals(wrong.status, 2);
  assertMatch(
    wrong.err,
    /^error: CONFORMANCE_DEADLINE must be a number of seconds, .*"soon"\n$/,
  );
});

Deno.test("cli writes the files that are asked for, and the text too", async () => {
  const { status, out, saved } = await run(
    "t.ts --json r.json --junit=j.xml --html r.html --badge b.svg --matrix m.svg --only FLASH-01",
  );
  assertEquals(status, 0);
  assertMatch(out, /^memory/);
  assertEquals(
    [...saved].map(([file, text]) => [file, text.slice(0, 5)]),
    [
      ["r.json", '{\n  "'],
      ["j.xml", "<?xml"],
      ["r.html", "<!doc"],
      ["b.svg", "<svg "],
      ["m.svg", "<svg "],
    ],
  );
});

Deno.test("cli writes nothing else to standard output, with --json or --tap", async () => {
  const { out } = await run("--json t.ts --only FLASH");
  assertEquals((JSON.parse(out) as Report).verdict, "partial");
  const tap = await run("t.ts --tap --only FLASH");
  assertMatch(tap.out, /^TAP version 14\n1\.\.13\n/);
});

Deno.test("cli shows how far it is, and erases that, where a run is long", async () => {
  const { now } = performance;
  let time = 0;
  const slow: Target = {
    ...memory,
    open(options) {
      time += 450;
      return memory.open(options);
    },
  };
  performance.now = () => time;
  try {
    const long = await run("t.ts --only FLASH-01", { default: slow });
    assertEquals(long.progress, ["memory  1/1  FLASH-01", ""]);
    const short = await run("t.ts --only FLASH-01");
    assertEquals(short.progress, []);
  } finally {
    performance.now = now;
  }
});

Deno.test("cli lists the rules, and shows help", async () => {
  const { status, out } = await run("--list");
  assertEquals(status, 0);
  for (const { id } of rules) {
    assertStringIncludes(out, `  ${id} `, rowName(id));
  }
  const some = await run("--list --only UNSET");
  assertFalse(some.out.includes("FLASH-01"));
  const help = await run("-h");
  assertEquals(help.status, 0);
  assertMatch(help.out, /suite \.\/target\.ts \[options\]/);
  for (const line of (out + help.out).split("\n")) {
    assert(line.length <= 80, line);
  }
});

const misuse: [string, RegExp][] = [
  ["", /^error: a target file is missing; --help shows an example\n$/],
  ["a.ts b.ts", /expected one target file, received 2/],
  ["t.ts --jsn", /unknown option --jsn; did you mean --json\?/],
  ["t.ts --constructor", /unknown option --constructor/],
  ["t.ts -x", /unknown option -x/],
  ["t.ts --json r.json x.json", /expected one target file, received 2/],
  ["t.ts --frobnicate", /unknown option --frobnicate; --help shows all/],
  ["t.ts --only", /Option '--only <value>' argument missing/],
  ["t.ts --only ,", /--only must name a rule/],
  ["t.ts --only FLSH", /unknown rule "FLSH"; did you mean FLASH\?/],
  ["t.ts --only REGEN-99", /unknown rule "REGEN-99"; did you mean REGEN-0/],
  ["t.ts --seed x", /--seed must be a whole number below/],
  ["t.ts --seed -1", /Option '--seed' argument is ambiguous/],
  [
    "t.ts --deadline 0",
    /--deadline must be a number of seconds, at most \d+: /,
  ],
  ["t.ts --deadline 5s", /--deadline must be a number of seconds.*"5s"/],
  ["t.ts --deadline 1e9", /--deadline must be a number of seconds/],
  ["t.ts --deadline 9999999999", /--deadline must be a number of seconds/],
  ["t.ts --html=", /Option '--html' needs a value/],
  ["t.ts --seed 1 --seed 2", /--seed is given twice/],
  ["t.ts --slow=yes", /Option '--slow' does not take an argument/],
  ["t.ts --json --tap", /both write to standard output/],
  ["t.ts --self-check --tap", /--self-check cannot be used with --tap/],
  ["t.ts --baseline none.json", /cannot read none\.json: Error: no such file/],
  ["t.ts --html locked.html", /cannot write locked\.html: Error: read-only/],
];

for (const [args, message] of misuse) {
  Deno.test(`cli gives one line and status 2, for "${args}"`, async () => {
    const { status, out, err } = await run(args);
    assertEquals([status, out], [2, ""]);
    assertMatch(err, message);
    assertMatch(err, /^error: [^\n]+\n$/);
  });
}

const baselines: [string, Record<string, string>, RegExp][] = [
  ["no JSON", { "b.json": "{" }, /is not a valid baseline: /],
  ["null", { "b.json": "null" }, /it must be an object/],
  ["another rule set", baseline({}, "1999"), /its ruleSet is "1999"/],
  ["no failures", baseline(undefined), /"expected" must be an object/],
  [
    "an unknown rule",
    baseline({ "FLASH-0": "x" }),
    /unknown rule "FLASH-0"; did/,
  ],
  [
    "no reason",
    baseline({ "FLASH-03": " " }),
    /the reason of FLASH-03 is missing/,
  ],
];

for (const [name, files, message] of baselines) {
  Deno.test(`cli gives one line and status 2, for a baseline with ${name}`, async () => {
    const { status, err } = await run(
      "t.ts --baseline b.json",
      undefined,
      files,
    );
    assertEquals(status, 2);
    assertMatch(err, message);
    assertMatch(err, /^error: [^\n]+\n$/);
  });
}

const modules: [string, Record<string, unknown> | Error, RegExp][] = [
  ["nothing", {}, /t\.ts does not export a target/],
  ["no target", { x: 1, y: null }, /t\.ts does not export a target/],
  ["a number", { default: 5 }, /an invalid target: it must be an object/],
  [
    "a target whose capabilities are no list",
    { default: { name: "x", capabilities: "revoke", open() {} } },
    /an invalid target: capabilities must be a list/,
  ],
  ["an empty list", { default: [] }, /t\.ts does not export a target/],
  [
    "an error with control characters",
    new UsageError("t.ts cannot be loaded: \x1b[2J\nstack"),
    /cannot be loaded: \\u001b\[2J\\u000astack/,
  ],
];

for (const [name, exports, message] of modules) {
  Deno.test(`cli gives one line and status 2, for a file that gives ${name}`, async () => {
    const { status, err } = await run("t.ts", exports);
    assertEquals(status, 2);
    assertMatch(err, message);
    assertMatch(err, /^error: [^\n]+\n$/);
  });
}

Deno.test("cli --self-check demands red, and gets it from a target that is wired well", async () => {
  const { status, out } = await run("t.ts --self-check --seed 3", {
    default: memoryTarget(),
  });
  assertEquals(status, 0, out);
  assertMatch(out, /\nall \d+ sabotages turn red\n$/);
});

Deno.test("cli --self-check shows an open that ignores the namespace", async () => {
  const storage = createMemorySessionStorage();
  const target: Target = {
    ...memory,
    capabilities: ["shared", "revoke"],
    open: () => ({ storage }),
  };
  const { status, out } = await run("t.ts --self-check --seed 3", {
    default: target,
  });
  assertEquals(status, 1);
  assertMatch(out, /✗ stays green +each open is in a namespace of its own\n/);
  assertStringIncludes(out, "open() ignores `namespace`");
});

Deno.test("cli --self-check proves nothing, where a rule fails anyway", async () => {
  const { status, out } = await run("t.ts --self-check --seed 3", {
    default: sticky,
  });
  assertEquals(status, 3, out);
  assertStringIncludes(out, "FLASH-03 is fail without the sabotage");
});

/** The command itself, as a process of its own. */
async function command(
  args: string[],
  target?: string,
): Promise<{ code: number; out: string; err: string }> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const folder = await Deno.makeTempDir();
  try {
    if (target !== undefined) {
      await Deno.writeTextFile(`${folder}/target.ts`, target);
    }
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--config",
        `${root}deno.json`,
        `${root}conformance/cli.ts`,
        ...args,
      ],
      cwd: folder,
    }).output();
    const decoder = new TextDecoder();
    return {
      code,
      out: decoder.decode(stdout),
      err: decoder.decode(stderr).replace(/^Check.*\n/gm, ""),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("cli ends, and keeps what a target prints out of the report, when the target leaks", async () => {
  const url = new URL("../../storage/memory.ts", import.meta.url).href;
  const { code, out, err } = await command(
    ["./target.ts", "--json", "--only", "FLASH"],
    `import { createMemorySessionStorage } from "${url}";
     setInterval(() => {}, 1000);
     console.log("hello");
     export default {
       name: "leaky",
       capabilities: [],
       open: ({ namespace: _, ...options }) => ({
    storage: createMemorySessionStorage(options),
  }),
     };`,
  );
  assertEquals(code, 0, err);
  assertEquals((JSON.parse(out) as Report).target, "leaky");
  assertEquals(err, "hello\n");
});

Deno.test("cli gives one line and status 2, for files that cannot be loaded", async () => {
  const missing = await command(["./target.ts"]);
  assertEquals(missing, {
    code: 2,
    out: "",
    err: "error: cannot find ./target.ts\n",
  });
  const throwing = await command(
    ["target.ts"],
    'throw new TypeError("boom\\nmore");',
  );
  assertEquals(throwing, {
    code: 2,
    out: "",
    err: "error: target.ts cannot be loaded: TypeError: boom\n",
  });
  const forgetful = await command(
    ["target.ts"],
    'void Promise.reject(new Error("lost")); export const x = 1;',
  );
  assertEquals(forgetful.code, 2);
  assertMatch(forgetful.err, /^error: [^\n]+\n$/);
});

Deno.test("cli says what a storage's target needs, for one without capabilities", async () => {
  const { open, name } = memory;
  const { status, out } = await run("t.ts --seed 1", {
    default: { name, open },
  });
  assertEquals(status, 2);
  assertMatch(
    out,
    /open\(\) returned a session storage, but the target has no/,
  );
});
