/**
 * The guard of sessions. Assigning a property of a session throws, because the value would not be saved. On a method,
 * which all sessions share, it would even reach other visitors.
 *
 * The prototype has the setters, so they cost nothing per session. They also throw in sloppy mode, where a write to a
 * frozen object is ignored. Two ways remain: a prototype cannot see `delete`, and mocks and the fields of subclasses
 * need `Object.defineProperty`.
 *
 * @module
 */

/**
 * Lets assignments to properties of sessions, and of their methods, throw a `TypeError`.
 *
 * @param prototype The prototype of sessions. Its methods become getters with setters that throw.
 */
export function guardSessions(prototype: object): void {
  const parent = {};
  const methodGuard = new Proxy(Object.create(Function.prototype), {
    set: (_target, key, _value, { name }: { name: string }) =>
      refuse(`session.${name}`, key, `all sessions share this ${method(name)}`),
  });
  const members = Object.getOwnPropertyDescriptors(prototype);
  for (const [name, member] of Object.entries(members)) {
    if (name === "constructor") {
      // Inherited, it is refused as an unknown property is.
      Reflect.deleteProperty(prototype, name);
      Object.defineProperty(parent, name, member);
      continue;
    }
    const { value, get = () => value } = member;
    if (value) Object.setPrototypeOf(value, methodGuard);
    const why = value ? `it is a ${method(name)}` : "it is read-only;";
    const set = () => refuse("session", name, why);
    Object.defineProperty(prototype, name, { get, set });
  }
  const set = (_target: object, key: string | symbol) =>
    refuse("session", key, "a session is not a plain object;");
  // A promise of a session asks for this each time. Asking the proxy would be slow.
  Object.defineProperty(prototype, "then", {
    get: () => undefined,
    set: () => set(parent, "then"),
  });
  Object.setPrototypeOf(prototype, new Proxy(parent, { set }));
}

function method(name: string): string {
  return `method; call session.${name}(…), or`;
}

function refuse(object: string, key: string | symbol, why: string): never {
  const name = typeof key === "symbol" ? key.description ?? "" : key;
  const property = typeof key === "symbol"
    ? `[${String(key)}]`
    : /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)
    ? `.${key}`
    : `[${JSON.stringify(key)}]`;
  throw new TypeError(
    `Cannot set ${object}${property}: ${why} write session.set(${
      JSON.stringify(name)
    }, …)`,
  );
}
