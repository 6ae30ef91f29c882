/**
 * Starts real servers for tests, each on a free port with its own folder, and stops them at the end.
 */
/** A server of a test. */
export interface Server {
  readonly port: number;
  /** Kills it, as a crash would. Its files stay. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and with the same folder. */
  restart(): Promise<void>;
  /** Stops all of its threads, until {@linkcode resume}. */
  pause(): Promise<void>;
  resume(): void;
  /** Stops it, and removes its folder. */
  stop(): Promise<void>;
}

interface Kind {
  readonly command: string;
  /** Where it is, if not on the path. */
  readonly folders?: readonly string[];
  /** The Debian package. */
  readonly package: string;
  /** Fills its folder before the first start. */
  readonly prepare?: (
    run: (command: string, ...args: string[]) => void,
    dir: string,
  ) => void;
  /** Whether it refuses to run as root. */
  readonly unprivileged?: boolean;
  readonly args: (port: number, dir: string) => string[];
  /** The stream on which it prints, and the line that it prints when it accepts connections. */
  readonly prints: "stdout" | "stderr";
  readonly ready: RegExp;
}

const PORT_TAKEN = /address already in use/i;

const REDIS: Kind = {
  command: "redis-server",
  package: "redis-server",
  args: (port, dir) => [
    ...["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir],
    ...["--save", "", "--appendonly", "yes", "--appendfsync", "always"],
  ],
  prints: "stdout",
  ready: /ready to accept connections/i,
};

const SENTINEL: Kind = {
  ...REDIS,
  // It keeps what it learns in its configuration.
  args: (port, dir) => {
    Deno.writeTextFileSync(`${dir}/sentinel.conf`, "");
    return [
      ...[`${dir}/sentinel.conf`, "--sentinel", "--port", `${port}`],
      ...["--bind", "127.0.0.1", "--dir", dir],
    ];
  },
  ready: /Sentinel ID is/,
};

const MEMCACHED: Kind = {
  command: "memcached",
  package: "memcached",
  args: (port) => [
    ...["-p", `${port}`, "-U", "0", "-l", "127.0.0.1", "-vv"],
    // As root, it needs the name of a user to run as.
    ...Deno.uid() === 0 ? ["-u", "nobody"] : [],
  ],
  prints: "stderr",
  ready: /server listening/i,
};

/** Nobody but the server may write to its folder. It answers before the disk has the data, which only a crash of the machine would show. */
const POSTGRES: Kind = {
  command: "postgres",
  folders: postgresFolders(),
  package: "postgresql",
  unprivileged: true,
  prepare(run, dir) {
    const auth = ["-U", "postgres", "-A", "trust", "-E", "UTF8"];
    run("initdb", "-D", `${dir}/data`, ...auth, "--locale=C", "--no-sync");
  },
  args: (port, dir) => [
    ...["-D", `${dir}/data`, "-p", `${port}`, "-h", "127.0.0.1"],
    ...["-k", dir, "-c", "fsync=off", "-c", "shared_buffers=32MB"],
  ],
  prints: "stderr",
  ready: /database system is ready to accept connections/,
};

/** A pooler in front of PostgreSQL: each statement may reach another connection. */
function pgBouncerTo(postgres: number): Kind {
  return {
    command: "pgbouncer",
    folders: ["/usr/sbin"],
    package: "pgbouncer",
    unprivileged: true,
    args(port, dir) {
      const to = `host=127.0.0.1 port=${postgres} user=postgres`;
      const settings = {
        ...{ listen_addr: "127.0.0.1", listen_port: port, unix_socket_dir: "" },
        ...{ auth_type: "trust", auth_file: `${dir}/users` },
        ...{ pool_mode: "transaction", default_pool_size: 3 },
      };
      const lines = Object.entries(settings).map((line) => line.join(" = "));
      const config = ["[databases]", `* = ${to}`, "[pgbouncer]", ...lines];
      Deno.writeTextFileSync(`${dir}/config`, config.join("\n"));
      Deno.writeTextFileSync(`${dir}/users`, '"postgres" ""\n');
      return [`${dir}/config`];
    },
    prints: "stderr",
    ready: /process up/,
  };
}

const MARIADB: Kind = {
  command: "mariadbd",
  folders: ["/usr/sbin"],
  package: "mariadb-server",
  unprivileged: true,
  prepare(run, dir) {
    run(
      ...["mariadb-install-db", "--no-defaults", `--datadir=${dir}/data`],
      ...["--auth-root-authentication-method=normal", "--skip-test-db"],
    );
  },
  args: (port, dir) => [
    ...["--no-defaults", `--datadir=${dir}/data`, `--socket=${dir}/socket`],
    ...[`--port=${port}`, "--bind-address=127.0.0.1", "--skip-name-resolve"],
    ...["--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=32M"],
    // As many servers have it: the table must not depend on it.
    "--character-set-server=latin1",
  ],
  prints: "stderr",
  ready: /ready for connections/,
};

const running = new Set<Deno.ChildProcess>();
const dirs = new Set<string>();

globalThis.addEventListener("unload", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const dir of dirs) Deno.removeSync(dir, { recursive: true });
});

/** Starts Redis, with additional arguments. It syncs every write to the disk before it answers. */
export function startRedis(...args: string[]): Promise<Server> {
  return start(REDIS, args);
}

/** Starts a sentinel of Redis that watches a master, under the name `main`. */
export async function startSentinel(master: number): Promise<Server> {
  const sentinel = await start(SENTINEL, []);
  const at = ["127.0.0.1", `${master}`];
  const watch = ["sentinel", "monitor", "main", ...at, "1"];
  await redisCli("-p", `${sentinel.port}`, ...watch);
  return sentinel;
}

/** Starts Memcached, with additional arguments. */
export function startMemcached(...args: string[]): Promise<Server> {
  return start(MEMCACHED, args);
}

/** Starts PostgreSQL, with additional arguments. Its user is `postgres`, without a password. */
export function startPostgres(...args: string[]): Promise<Server> {
  return start(POSTGRES, args);
}

/** Starts PgBouncer in transaction mode, in front of a PostgreSQL. */
export function startPgBouncer(postgres: number): Promise<Server> {
  return start(pgBouncerTo(postgres), []);
}

/** Starts MariaDB, with additional arguments. Its user is `root`, without a password. */
export function startMariaDb(...args: string[]): Promise<Server> {
  return start(MARIADB, args);
}

/** Starts a node of a cluster of Redis, which has neither slots nor other nodes yet. */
export function startRedisNode(): Promise<Server> {
  return start(REDIS, () => [
    ...["--cluster-enabled", "yes", "--cluster-node-timeout", "15000"],
    ...["--cluster-port", `${freePort()}`],
  ]);
}

/** Starts a cluster of Redis with three masters. */
export async function startRedisCluster(): Promise<Server[]> {
  const servers: Server[] = [];
  for (let i = 0; i < 3; i++) servers.push(await startRedisNode());
  await redisCli(
    ...["--cluster", "create"],
    ...servers.map(({ port }) => `127.0.0.1:${port}`),
    ...["--cluster-replicas", "0", "--cluster-yes"],
  );
  // Each node learns by itself that all slots are served.
  for (const { port } of servers) await clusterReady(port);
  return servers;
}

/** Resolves when a node of a cluster knows that all slots are served. */
export async function clusterReady(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const info = await redisCli("-p", `${port}`, "cluster", "info");
    if (info.includes("cluster_state:ok")) return;
  }
  throw new Error("Cannot create cluster: a node thinks that it is down");
}

async function redisCli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("redis-cli", {
    args,
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  if (code === 0) return text;
  throw new Error(`redis-cli failed: ${text}${decoder.decode(stderr)}`);
}

/** A server that tests start. */
export type ServerName =
  | "redis"
  | "memcached"
  | "postgres"
  | "pgbouncer"
  | "mariadb";

const KINDS: Readonly<Record<ServerName, Kind>> = {
  redis: REDIS,
  memcached: MEMCACHED,
  postgres: POSTGRES,
  pgbouncer: pgBouncerTo(0),
  mariadb: MARIADB,
};

/**
 * Whether an engine's server is installed. If it is not, registers a test that says how to install it. The test is
 * ignored, except on CI, where it fails.
 */
export function installed(engine: ServerName): boolean {
  const kind = KINDS[engine];
  try {
    new Deno.Command(pathOf(kind, kind.command), { args: ["--version"] })
      .outputSync();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const advice = `${kind.command} is missing: apt-get install ${kind.package}`;
  Deno.test({
    name: `engine skipped: ${advice}`,
    ignore: Deno.env.get("CI") !== "true",
    fn() {
      throw new Error(advice);
    },
  });
  return false;
}

/** Debian has a folder for each version. */
function postgresFolders(): string[] {
  try {
    return [...Deno.readDirSync("/usr/lib/postgresql")]
      .map(({ name }) => `/usr/lib/postgresql/${name}/bin`).sort().reverse();
  } catch {
    return [];
  }
}

function pathOf({ folders = [] }: Kind, command: string): string {
  for (const folder of folders) {
    try {
      Deno.statSync(`${folder}/${command}`);
      return `${folder}/${command}`;
    } catch {
      // The next one.
    }
  }
  return command;
}

/** How a program of a server is started: a server that refuses to run as root runs as nobody. */
function commandOf(
  kind: Kind,
  command: string,
  args: string[],
): [command: string, args: string[]] {
  const path = pathOf(kind, command);
  return kind.unprivileged && Deno.uid() === 0
    ? ["setpriv", [
      ...["--reuid=nobody", "--regid=nogroup", "--clear-groups", path],
      ...args,
    ]]
    : [path, args];
}

async function start(
  kind: Kind,
  more: string[] | (() => string[]),
): Promise<Server> {
  const dir = await Deno.makeTempDir();
  dirs.add(dir);
  prepare(kind, dir);
  // If another program takes the port first, the next attempt uses another port.
  for (let attempt = 1;; attempt++) {
    const port = freePort();
    const args = [
      ...kind.args(port, dir),
      ...typeof more === "function" ? more() : more,
    ];
    try {
      return new Running(kind, args, port, dir, await launch(kind, args));
    } catch (error) {
      if (attempt === 5 || !PORT_TAKEN.test(String(error))) throw error;
    }
  }
}

function prepare(kind: Kind, dir: string): void {
  if (kind.unprivileged && Deno.uid() === 0) {
    // 65534 is nobody and nogroup.
    Deno.chownSync(dir, 65534, 65534);
  }
  kind.prepare?.((command, ...args) => {
    const [program, given] = commandOf(kind, command, args);
    const { code, stderr } = new Deno.Command(program, {
      args: given,
      cwd: dir,
      env: { HOME: dir },
      stdout: "null",
      stderr: "piped",
    }).outputSync();
    if (code === 0) return;
    const printed = new TextDecoder().decode(stderr);
    throw new Error(`Cannot prepare ${kind.command}: ${printed}`);
  }, dir);
}

class Running implements Server {
  readonly port: number;
  readonly #kind: Kind;
  readonly #args: string[];
  readonly #dir: string;
  #child: Deno.ChildProcess;

  constructor(
    kind: Kind,
    args: string[],
    port: number,
    dir: string,
    child: Deno.ChildProcess,
  ) {
    this.port = port;
    this.#kind = kind;
    this.#args = args;
    this.#dir = dir;
    this.#child = child;
  }

  async kill(): Promise<void> {
    if (!running.delete(this.#child)) return;
    // A process of PostgreSQL answers until it notices that the one that started it is gone.
    const children = await childrenOf(this.#child.pid);
    this.#child.kill("SIGKILL");
    await this.#child.status;
    for (const pid of children) await killChild(pid);
  }

  async restart(): Promise<void> {
    await this.kill();
    this.#child = await launch(this.#kind, this.#args);
  }

  async pause(): Promise<void> {
    this.#child.kill("SIGSTOP");
    // The signal takes a while to reach each thread, and until then a thread may still answer.
    while (!await isStopped(this.#child.pid)) await undefined;
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    if (dirs.delete(this.#dir)) {
      await Deno.remove(this.#dir, { recursive: true });
    }
  }
}

/** @throws {Error} If the server ends before it is ready. The message is the output of the server. */
async function launch(kind: Kind, args: string[]): Promise<Deno.ChildProcess> {
  const [program, given] = commandOf(kind, kind.command, args);
  const child = new Deno.Command(program, {
    args: given,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    [kind.prints]: "piped",
  }).spawn();
  running.add(child);
  let printed = "";
  // Leaving the loop closes the pipe. Both servers can continue without it.
  for await (
    const text of child[kind.prints].pipeThrough(new TextDecoderStream())
  ) {
    printed += text;
    if (kind.ready.test(printed)) return child;
  }
  running.delete(child);
  await child.status;
  throw new Error(`Cannot start ${kind.command}: ${printed}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The processes that a process has started; none where there is no `/proc`. */
async function childrenOf(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const listed = await Deno.readTextFile(path).catch(() => "");
  return listed.split(" ").filter(Boolean).map(Number);
}

async function killChild(pid: number): Promise<void> {
  try {
    Deno.kill(pid, "SIGKILL");
    // It is gone, or a zombie.
    const stat = () => Deno.readTextFile(`/proc/${pid}/stat`);
    while (!/\) [XZ] /.test(await stat())) await undefined;
  } catch {
    // It was gone before.
  }
}

/** Whether every thread of a process is stopped: proc(5), "state", or ps(1) on systems without /proc. */
async function isStopped(pid: number): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
      const stat = await Deno.readTextFile(`/proc/${pid}/task/${name}/stat`);
      if (!/\) [Tt] /.test(stat)) return false;
    }
    return true;
  } catch {
    const args = ["-o", "stat=", "-p", String(pid)];
    const { stdout } = await new Deno.Command("ps", { args }).output();
    return new TextDecoder().decode(stdout).trim().startsWith("T");
  }
}
