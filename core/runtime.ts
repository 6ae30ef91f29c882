/**
 * What a platform offers beyond the APIs that all of them share. No other file looks at a runtime's own globals.
 *
 * @module
 */

interface ProcessLike {
  getBuiltinModule?(name: string): unknown;
}

/** A built-in module of Node, Deno or Bun; `undefined` where there is none (Workers without Node compatibility). */
export function builtin<T>(name: string): T | undefined {
  const process = (globalThis as { process?: ProcessLike }).process;
  return process?.getBuiltinModule?.(name) as T | undefined;
}

/** Whether a timer belongs to the request that set it, and ends with it (Cloudflare Workers). */
export const timersEndWithRequest: boolean = "WebSocketPair" in globalThis;

// One call for random bytes costs more than a signature's base64, whatever its size: hand them out from a block.
// The block is filled on first use, because Workers refuse randomness in global scope.
const block = new Uint8Array(1536);
let used = block.length;

/** `size` bytes from the platform's cryptographic generator, none of which is ever handed out twice. */
export function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  if (used + size > block.length) {
    crypto.getRandomValues(block);
    used = 0;
  }
  const bytes = block.slice(used, used + size);
  block.fill(0, used, used + size);
  used += size;
  return bytes;
}

/** Resolves after `ms` milliseconds. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
