/**
 * The types of the shop's session, and the shop's options.
 *
 * @module
 */
import type { Session, SessionStorage } from "@satchel/session";

/** The session's values. */
export interface Data {
  /** When it began, in milliseconds. */
  since: number;
  /** The id of the user who is signed in. */
  user: string;
  /** Where the user has signed in. */
  device: string;
  /** Whether the user asked to stay signed in. */
  remembered: boolean;
  theme: "light" | "dark";
  /**
   * How many of a product are in the cart, with a key for each product. Parallel requests are merged key by key: with
   * the whole cart under one key, a second tab could overwrite what the first one added.
   */
  [inCart: `cart:${string}`]: number;
}

/** The session's flashes. */
export interface Flash {
  notice: string;
  error: string;
  /** The user name from a failed sign-in. */
  userName: string;
}

/** The session of a visitor. */
export type ShopSession = Session<Data, Flash>;

/** Options of the shop. Durations are in seconds. */
export interface ShopOptions {
  /** The session storage. */
  storage: SessionStorage<Data, Flash>;
  /** The storage's name, as in `STORAGE`. */
  storageName: string;
  /** How long an idle session lasts. The storage has the same option. */
  idleTimeout: number;
  /** How long any session lasts. The storage has the same option. */
  absoluteTimeout: number;
  /** How long a visitor stays signed in after choosing "remember me". */
  rememberFor: number;
  /** The clock, in milliseconds. The storage has the same option. @default {Date.now} */
  now?: () => number;
}
