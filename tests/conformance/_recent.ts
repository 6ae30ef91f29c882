/** No rule opens as many namespaces. */
const MOST = 200;

/**
 * What is stored in each namespace, as a map.
 *
 * The oldest namespaces are forgotten: a test that runs all rules on hundreds of storages, with records of a megabyte,
 * would otherwise run out of memory.
 */
export class Recent<T> extends Map<string, T> {
  override set(namespace: string, stored: T): this {
    super.set(namespace, stored);
    const [oldest] = this.keys();
    if (this.size > MOST && oldest !== undefined) this.delete(oldest);
    return this;
  }
}
