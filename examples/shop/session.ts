/**
 * What a session of the shop keeps, and what the shop needs to know of sessions.
 *
 * @module
 */
import type { Session, SessionStorage } from "@satchel/session";

/** What a session keeps. */
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
   * How many of a product are in the cart. A key for each: parallel requests are merged key by key, and a cart under one
   * key would lose what another tab has just put in.
   */
  [inCart: `cart:${string}`]: number;
}

/** What a session says once. */
export interface Flash {
  notice: string;
  error: string;
  /** The name typed into a sign-in that failed. */
  userName: string;
}

/** The session of a visitor. */
export type ShopSession = Session<Data, Flash>;

/** What the shop needs to know. Durations are in seconds. */
export interface ShopOptions {
  /** Where sessions live, bound to their cookie. */
  storage: SessionStorage<Data, Flash>;
  /** How people call that. */
  storageName: string;
  /** After how long without a visit a session ends; given to the storage too. */
  idleTimeout: number;
  /** After how long every session ends; given to the storage too. */
  absoluteTimeout: number;
  /** For how long a browser remembers a visitor who asks for it. */
  rememberFor: number;
  /** The clock, in milliseconds; given to the storage too. @default {Date.now} */
  now?: () => number;
}
