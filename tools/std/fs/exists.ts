import { stat } from "node:fs/promises";

/** What kind of entry to look for. */
export interface ExistsOptions {
  /** Only a folder counts. */
  isDirectory?: boolean;
  /** Only a file counts. */
  isFile?: boolean;
}

/** Tells whether there is an entry at the path. */
export async function exists(
  path: string | URL,
  options: ExistsOptions = {},
): Promise<boolean> {
  try {
    const info = await stat(path);
    if (options.isDirectory && !info.isDirectory()) return false;
    if (options.isFile && !info.isFile()) return false;
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false;
    throw error;
  }
}
