/**
 * An end to waiting.
 *
 * @module
 */

/**
 * What `answer` gives, unless that takes longer than `ms` milliseconds.
 *
 * @param engine Who owes the answer, for the error.
 * @param giveUp Called once it is too late.
 * @throws {Error} If it takes longer.
 */
export async function deadlined<T>(
  answer: Promise<T>,
  ms: number,
  engine: string,
  giveUp: () => void,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${engine} did not answer within ${ms / 1000} s`));
      giveUp();
    }, ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
