/**
 * Asks again until an engine answers: a client connects again some time soon, and a busy machine is late. Each attempt
 * waits for the client's next connection, or for its timeout.
 */
export async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 1000) throw error;
    }
  }
}
