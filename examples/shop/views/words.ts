/**
 * Money, instants and distances in words.
 *
 * @module
 */
import { type Html, html } from "../html.ts";

const euros = new Intl.NumberFormat("en", {
  style: "currency",
  currency: "EUR",
});
const dates = new Intl.DateTimeFormat("en", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});
const distances = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** Formats a price, which is in cents. */
export function money(cents: number): string {
  return euros.format(cents / 100);
}

/** Formats an instant and its distance from now. Both are in milliseconds. */
export function time(instant: number, now: number): Html {
  return html`<time datetime="${new Date(instant).toISOString()}">${
    dates.format(instant)
  } UTC</time> <small>(${distance(instant - now)})</small>`;
}

/** Formats a distance in milliseconds; a negative one is in the past. */
export function distance(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (Math.abs(minutes) < 120) return distances.format(minutes, "minute");
  const hours = Math.round(minutes / 60);
  if (Math.abs(hours) < 48) return distances.format(hours, "hour");
  return distances.format(Math.round(hours / 24), "day");
}
