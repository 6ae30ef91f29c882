/**
 * `req.session` as in express-session: its properties are the values, and its methods have callbacks.
 *
 * @module
 */
import type { SessionData } from "../../core/session.ts";
import type { PropertiesCookie } from "./properties_cookie.ts";

/** A callback. It may be asynchronous: what it throws goes to the framework's error handler. */
export type SessionCallback = (error?: unknown) => unknown;

/** The methods of a session with properties, as in express-session. Without a callback, they return a promise. */
export interface SessionMethods {
  /** The id. It changes with {@linkcode SessionMethods.regenerate}. */
  readonly id: string;
  /** The session's lifetime. */
  cookie: PropertiesCookie;
  /**
   * Begins the session anew, for a login: a new id, and none of the values. `req.session` is then another object. The
   * old id is revoked once the new session is saved.
   */
  regenerate(callback: SessionCallback): this;
  /**
   * The same.
   *
   * @param keep The values to keep.
   */
  regenerate(keep?: readonly string[]): Promise<void>;
  /** The same. */
  regenerate(keep: readonly string[], callback: SessionCallback): this;
  /** Saves the session now. You don't have to: it is saved before the response is sent. */
  save(callback: SessionCallback): this;
  /** The same. */
  save(): Promise<void>;
  /** Reads the session again, and drops what this request has changed. `req.session` is then another object. */
  reload(callback: SessionCallback): this;
  /** The same. */
  reload(): Promise<void>;
  /** Ends the session. `req.session` is then `undefined`. */
  destroy(callback: SessionCallback): this;
  /** The same. */
  destroy(): Promise<void>;
  /** Counts the session's lifetime from now. */
  touch(): this;
  /** The same. */
  resetMaxAge(): this;
}

/** A session whose values are properties: `req.session.userId = 7`. */
export type SessionProperties<Data = SessionData> =
  & SessionMethods
  & Partial<Data>;

/** What the methods do. */
export interface Controls {
  idOf(view: object): string;
  regenerate(view: object, keep: readonly string[]): void;
  save(view: object): Promise<void>;
  reload(view: object): Promise<void>;
  destroy(view: object): Promise<void>;
  touch(view: object): void;
  /** Handles what a callback threw. */
  fail(error: unknown): void;
}

/** The controls of each session with properties. */
const controls = new WeakMap<object, Controls>();

/** Lets the methods of a session with properties work. */
export function control(view: object, by: Controls): void {
  controls.set(view, by);
}

/** The controls of a session with properties; `undefined` for anything else. */
export function controlsOf(view: unknown): Controls | undefined {
  return controls.get(Object(view));
}

/** The prototype of sessions with properties. It has no state: each property is a value of the session. */
export class PropertiesSession {
  declare cookie: PropertiesCookie;

  get id(): string {
    return required(this).idOf(this);
  }

  regenerate(
    keep?: readonly string[] | SessionCallback,
    callback?: SessionCallback,
  ): this | Promise<void> {
    const [keys, done] = typeof keep === "function"
      ? [[], keep]
      : [keep ?? [], callback];
    return run(this, done, ({ regenerate }) => regenerate(this, keys));
  }

  save(callback?: SessionCallback): this | Promise<void> {
    return run(this, callback, ({ save }) => save(this));
  }

  reload(callback?: SessionCallback): this | Promise<void> {
    return run(this, callback, ({ reload }) => reload(this));
  }

  destroy(callback?: SessionCallback): this | Promise<void> {
    return run(this, callback, ({ destroy }) => destroy(this));
  }

  touch(): this {
    required(this).touch(this);
    return this;
  }

  resetMaxAge(): this {
    return this.touch();
  }
}

function required(view: object): Controls {
  const found = controls.get(view);
  if (found) return found;
  throw new TypeError(
    "Cannot use session: its method was called on another object; write req.session.save(callback), say",
  );
}

/** Runs a method. A callback is called later, and never at once; a mistake throws at once if there is none. */
function run<View extends object>(
  view: View,
  callback: SessionCallback | undefined,
  work: (controls: Controls) => void | Promise<void>,
): View | Promise<void> {
  const by = required(view);
  if (!callback) {
    const done = Promise.resolve(work(by));
    // If nobody waits for it, the save before the response reports the failure.
    done.catch(() => {});
    return done;
  }
  (async () => await work(by))()
    .then(() => undefined, (error) => error)
    .then((error) => callback(error))
    .catch(by.fail);
  return view;
}
