/**
 * The page that shows the visitor's stored session.
 *
 * @module
 */
import type { StorageGuarantees } from "@satchel/session";
import { type Html, html } from "../html.ts";
import type { Body } from "./frame.ts";
import { time } from "./words.ts";

/** The values on the session page. Instants are in milliseconds, durations in seconds. */
export interface SessionFacts {
  storageName: string;
  guarantees: StorageGuarantees | undefined;
  /** `undefined` if the visitor does not have a stored session. */
  stored: Stored | undefined;
  now: number;
}

/** A stored session. */
export interface Stored {
  /** The session's id, shortened. */
  id: string;
  values: object;
  since: number;
  idleEnd: number;
  absoluteEnd: number;
  /** How long the browser keeps the cookie; `undefined` means until the browser is closed. */
  rememberFor: number | undefined;
}

const DAY = 24 * 60 * 60;

/** The page: what is stored, in which storage, and until when. */
export function sessionPage(facts: SessionFacts): Body {
  const { storageName, guarantees, stored, now } = facts;
  const body = html`
    <h1>Your session</h1>
    ${stored === undefined ? nothingStored() : storedFacts(stored, now)}
    <h2>Where</h2>
    <p>In the storage <code>${storageName}</code>.</p>
    ${guarantees && promises(guarantees)}
  `;
  return { title: "Session", body };
}

function nothingStored(): Html {
  return html`
    <p
      class="lead">Nothing is stored about you. Fill your cart, or choose a theme.</p>
  `;
}

function storedFacts(stored: Stored, now: number): Html {
  const { id, since, idleEnd, absoluteEnd, rememberFor, values } = stored;
  return html`
    <dl>
      <dt>Id</dt>
      <dd><code>${id}</code> <small>in short: it works like a key</small></dd>
      <dt>Began</dt>
      <dd>${time(since, now)}</dd>
      <dt>Ends, unless you come back</dt>
      <dd>${time(idleEnd, now)} <small>each visit moves it</small></dd>
      <dt>Ends in any case</dt>
      <dd>${time(absoluteEnd, now)}</dd>
      <dt>Your browser keeps the cookie</dt>
      <dd>${rememberFor
        ? `for ${rememberFor / DAY} days`
        : "until it is closed"}</dd>
    </dl>
    <h2>What is stored</h2>
    <dl>${Object.entries(values).map(storedValue)}</dl>
  `;
}

function storedValue([key, value]: [string, unknown]): Html {
  return html`
    <dt><code>${key}</code></dt>
    <dd><code>${JSON.stringify(value)}</code></dd>
  `;
}

/** Each guarantee of a storage in words: if it holds, and if it does not. */
const PROMISES: [keyof StorageGuarantees, kept: string, notKept: string][] = [
  [
    "durable",
    "Sessions survive a restart.",
    "A restart forgets all sessions.",
  ],
  [
    "revoke",
    "After a sign-out, an old cookie is worthless at once.",
    "A cookie copied before a sign-out works until its deadline.",
  ],
  [
    "compareAndSet",
    "Of two requests at once, neither undoes the other’s changes.",
    "Of two requests at once, the later one wins.",
  ],
  [
    "shared",
    "Several processes see the same sessions.",
    "Only one process sees them.",
  ],
];

function promises(guarantees: StorageGuarantees): Html {
  const items = PROMISES.map(([name, kept, notKept]) =>
    guarantees[name]
      ? html`<li class="yes">${kept}</li>`
      : html`<li class="no">${notKept}</li>`
  );
  return html`<ul class="promises">${items}</ul>`;
}
