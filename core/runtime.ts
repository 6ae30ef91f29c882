/**
 * Detects what differs between runtimes. Other files do not use a runtime's own globals.
 *
 * @module
 */

interface ProcessLike {
  readonly env?: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(name: string): unknown;
}

/** A built-in module of Node, Deno or Bun; `undefined` on other runtimes. */
export function builtin<T>(name: string): T | undefined {
  const process = (globalThis as { process?: ProcessLike }).process;
  return process?.getBuiltinModule?.(name) as T | undefined;
}

/** A variable of the environment; `undefined` if it is not set, or if the program must not read it. */
export function environment(name: string): string | undefined {
  try {
    return (globalThis as { process?: ProcessLike }).process?.env?.[name];
  } catch {
    return undefined;
  }
}

/** `hash` of `node:crypto`, of a text's UTF-8 bytes or of bytes. */
export type NativeHash = (
  algorithm: "sha256",
  data: string | Uint8Array,
  encoding: "base64url" | "latin1",
) => string;

/**
 * The runtime's own hash function, if it is faster than WebAssembly. Not Deno's: its slowest calls take tens of
 * milliseconds.
 */
export function nativeHash(): NativeHash | undefined {
  if (isDeno()) return undefined;
  const hash = builtin<{ hash?: NativeHash }>("node:crypto")?.hash;
  try {
    // An environment that resembles Node may have a function that only throws.
    hash?.("sha256", "", "base64url");
    return hash;
  } catch {
    return undefined;
  }
}

/** The part of Node's `Buffer` that base64 uses. */
interface NodeBuffer {
  from(buffer: ArrayBufferLike, offset: number, length: number): {
    toString(encoding: string): string;
    write(text: string, encoding: string): number;
  };
}

/** `Buffer` of Node, Deno or Bun; `undefined` on other runtimes. */
export function nodeBuffer(): NodeBuffer | undefined {
  return (globalThis as { Buffer?: NodeBuffer }).Buffer;
}

/** Whether this is workerd: Cloudflare Workers. */
export function isWorkerd(): boolean {
  return "WebSocketPair" in globalThis;
}

/** Whether this is Deno. */
export function isDeno(): boolean {
  return "Deno" in globalThis;
}

/** Whether this is Bun. */
export function isBun(): boolean {
  return "Bun" in globalThis;
}

/** Whether a timer ends with the request that set it (Cloudflare Workers). */
export function timersEndWithRequest(): boolean {
  return isWorkerd();
}

// Each call for random bytes is slow, regardless of its size, so they are taken from a block. It is filled on first
// use, because Workers do not allow randomness in global scope.
const block = /* @__PURE__ */ new Uint8Array(1536);
let used = 1536;
const taken = /* @__PURE__ */ new Uint8Array(32);

/**
 * Returns bytes from the platform's cryptographic generator, each of them only once. The next call overwrites them.
 *
 * @param size At most 32.
 */
export function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  if (used + size > block.length) {
    crypto.getRandomValues(block);
    used = 0;
  }
  const next = block.subarray(used, used += size);
  const bytes = taken.subarray(0, size);
  bytes.set(next);
  next.fill(0);
  return bytes;
}

/** Resolves after `ms` milliseconds. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
