/**
 * A registry laid out as JSR's, on this machine: it takes what `deno publish` sends and hands it to `deno run`.
 *
 * @module
 */
import { join } from "node:path";

/** A file of a published version, by its path from the root of the package. */
export type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

interface Version {
  readonly files: Files;
  readonly exports: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Record<string, string>;
}

/** A running registry. */
export interface Registry extends AsyncDisposable {
  /** What `JSR_URL` is set to. */
  readonly url: string;
  /** A version's files, by their paths. */
  files(name: string, version: string): Files;
  /** Serves a folder as it is, as a version of a package. */
  add(dir: string): Promise<void>;
}

const VERSION_META = /^\/(@[^/]+\/[^/]+)\/([^/]+)_meta\.json$/;
const FILE = /^\/(@[^/]+\/[^/]+)\/([^/]+)(\/.+)$/;
const PUBLISH =
  /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)\/versions\/([^/]+)$/;

/** Starts one on a free port. */
export function startRegistry(): Registry {
  const packages = new Map<string, Map<string, Version>>();
  const put = (name: string, version: string, files: Files) => {
    const { exports } = manifestOf(files);
    const versions = packages.get(name) ?? new Map<string, Version>();
    packages.set(name, versions.set(version, { files, exports }));
  };

  async function publish(request: Request, path: RegExpMatchArray) {
    const [, scope, name, version = ""] = path;
    const id = `@${scope}/${name}`;
    if (request.method === "GET") return missing();
    const body = request.body as ReadableStream<Uint8Array<ArrayBuffer>>;
    const tar = body.pipeThrough(new DecompressionStream("gzip"));
    put(
      id,
      version,
      untar(new Uint8Array(await new Response(tar).arrayBuffer())),
    );
    return Response.json({
      id: crypto.randomUUID(),
      status: "success",
      error: null,
      packageScope: scope,
      packageName: name,
      packageVersion: version,
      createdAt: new Date(0),
      updatedAt: new Date(0),
    });
  }

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const published = pathname.match(PUBLISH);
    if (published) return await publish(request, published);
    // What the publisher asks about a scope or a package that is there.
    if (pathname.startsWith("/api/")) return Response.json({});
    if (pathname.endsWith("/meta.json")) {
      const [scope, name] = pathname.slice(1).split("/");
      const versions = packages.get(`${scope}/${name}`);
      if (!versions) return missing();
      const all = [...versions.keys()].map((version) => [version, {}]);
      return Response.json({ scope, name, versions: Object.fromEntries(all) });
    }
    const meta = pathname.match(VERSION_META);
    if (meta) {
      const found = packages.get(meta[1] ?? "")?.get(meta[2] ?? "");
      return found ? Response.json(await metaOf(found)) : missing();
    }
    const [, name = "", version = "", path = ""] = pathname.match(FILE) ?? [];
    const bytes = packages.get(name)?.get(version)?.files.get(path);
    return bytes ? new Response(bytes) : missing();
  }

  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    answer,
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    files: (name, version) =>
      packages.get(name)?.get(version)?.files ?? new Map(),
    async add(dir) {
      const files = new Map<string, Uint8Array<ArrayBuffer>>();
      for await (const { name } of Deno.readDir(dir)) {
        files.set(`/${name}`, await Deno.readFile(join(dir, name)));
      }
      const { name, version } = manifestOf(files);
      put(name, version, files);
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function missing(): Response {
  return Response.json({ code: "notFound", message: "" }, { status: 404 });
}

function manifestOf(files: Files): Manifest {
  return JSON.parse(new TextDecoder().decode(files.get("/deno.json")));
}

async function metaOf({ files, exports }: Version): Promise<object> {
  const manifest: Record<string, { size: number; checksum: string }> = {};
  for (const [path, bytes] of files) {
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    const checksum = `sha256-${new Uint8Array(digest).toHex()}`;
    manifest[path] = { size: bytes.length, checksum };
  }
  return { manifest, exports };
}

/** The files of a tar archive, as far as `deno publish` makes use of the format: names, sizes, contents. */
function untar(bytes: Uint8Array<ArrayBuffer>): Files {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const text = (from: number, to: number) =>
    new TextDecoder().decode(bytes.subarray(from, to)).split("\0")[0] ?? "";
  for (let at = 0; at < bytes.length && bytes[at];) {
    const size = parseInt(text(at + 124, at + 136), 8);
    const name = [text(at + 345, at + 500), text(at, at + 100)]
      .filter(Boolean).join("/").replace(/^\.?\/*/, "/");
    files.set(name, bytes.slice(at + 512, at + 512 + size));
    at += 512 * (1 + Math.ceil(size / 512));
  }
  return files;
}
