/**
 * The products and the users. A real shop keeps both in a database.
 *
 * @module
 */
import { Html } from "./html.ts";

/** Something to buy. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly blurb: string;
  /** In cents. */
  readonly price: number;
  /** The colour behind its picture. */
  readonly tint: string;
  readonly picture: Html;
}

/** All products, in the order of the shelf. */
export const products: readonly Product[] = [
  {
    id: "satchel",
    name: "Leather satchel",
    blurb: "Carries all the rest from request to request.",
    price: 12_900,
    tint: "clay",
    picture: draw(`
      <path d="M34 42v-8a16 14 0 0 1 32 0v8" fill="none" stroke="#6b3a1e" stroke-width="5"/>
      <rect x="18" y="40" width="64" height="44" rx="7" fill="#a9622f"/>
      <path d="M18 47a7 7 0 0 1 7-7h50a7 7 0 0 1 7 7v9c0 8-14 13-32 13s-32-5-32-13z" fill="#8a4b22"/>
      <rect x="31" y="56" width="8" height="18" rx="3" fill="#6b3a1e"/>
      <rect x="61" y="56" width="8" height="18" rx="3" fill="#6b3a1e"/>
      <path d="M32 65h6v5h-6zM62 65h6v5h-6z" fill="#f0c25c"/>`),
  },
  {
    id: "notebook",
    name: "Dotted notebook",
    blurb: "160 pages that forget nothing on a restart.",
    price: 1_450,
    tint: "sea",
    picture: draw(`
      <rect x="27" y="18" width="50" height="66" rx="5" fill="#f6efe0"/>
      <rect x="23" y="16" width="50" height="66" rx="5" fill="#23687c"/>
      <rect x="23" y="16" width="11" height="66" rx="5" fill="#184b5a"/>
      <rect x="41" y="28" width="24" height="13" rx="2" fill="#f6efe0"/>
      <path d="M66 16v66" stroke="#e2683c" stroke-width="4"/>`),
  },
  {
    id: "pen",
    name: "Fountain pen",
    blurb: "Signs with the newest ink and still reads the old.",
    price: 3_900,
    tint: "plum",
    picture: draw(`
      <g transform="rotate(45 50 50)">
        <rect x="43" y="6" width="14" height="52" rx="6" fill="#57396f"/>
        <path d="M43 40h14v10H43z" fill="#f0c25c"/>
        <path d="M54 10h5v24h-5z" fill="#f0c25c"/>
        <path d="M43 60h14l-3 18-4 14-4-14z" fill="#d9dde3"/>
        <path d="M50 72v20" stroke="#57396f" stroke-width="1.5"/>
        <circle cx="50" cy="71" r="2" fill="#57396f"/>
      </g>`),
  },
  {
    id: "mug",
    name: "Enamel mug",
    blurb: "Keeps tea warm for half an hour of idleness.",
    price: 1_800,
    tint: "moss",
    picture: draw(`
      <path d="M66 42h8a9 9 0 0 1 9 9v5a9 9 0 0 1-9 9h-8" fill="none" stroke="#35634a" stroke-width="6"/>
      <path d="M22 34h48v36a12 12 0 0 1-12 12H34a12 12 0 0 1-12-12z" fill="#f6efe0"/>
      <path d="M20 32h52v6H20z" fill="#35634a"/>
      <path d="M36 24c-4-5 4-7 0-13M50 24c-4-5 4-7 0-13" fill="none" stroke="#9fb8a8" stroke-width="3.5" stroke-linecap="round"/>
      <path d="M40 66c0-12 8-15 15-15 0 10-5 15-15 15z" fill="#5d9a74"/>`),
  },
  {
    id: "tea",
    name: "Smoky tea",
    blurb: "Read once by the leaves, then gone: a flash of it.",
    price: 990,
    tint: "sun",
    picture: draw(`
      <rect x="26" y="30" width="48" height="54" rx="5" fill="#c9452e"/>
      <rect x="22" y="18" width="56" height="16" rx="5" fill="#9c3221"/>
      <circle cx="50" cy="58" r="15" fill="#fbe7b8"/>
      <path d="M43 65c0-11 6-15 14-15 0 10-5 15-14 15z" fill="#5d7f3a"/>`),
  },
  {
    id: "umbrella",
    name: "Umbrella",
    blurb: "For visitors from hostile weather.",
    price: 2_750,
    tint: "sky",
    picture: draw(`
      <path d="M50 14v60a8 8 0 0 1-16 0" fill="none" stroke="#5b4636" stroke-width="4.5" stroke-linecap="round"/>
      <path d="M14 52a36 34 0 0 1 72 0c-5-6-13-6-18 0-5-7-13-7-18 0-5-7-13-7-18 0-5-6-13-6-18 0z" fill="#2f6bb0"/>
      <path d="M32 52c0-18 8-32 18-34 10 2 18 16 18 34-5-7-13-7-18 0-5-7-13-7-18 0z" fill="#5c95d6"/>`),
  },
  {
    id: "map",
    name: "Pocket map",
    blurb: "You are here; the way back home is a 303.",
    price: 850,
    tint: "moss",
    picture: draw(`
      <path d="M14 28l24-8 24 8 24-8v52l-24 8-24-8-24 8z" fill="#e9e2c8"/>
      <path d="M38 20l24 8v52l-24-8z" fill="#cfd9b4"/>
      <path d="M20 66c10-14 20 2 28-12s18-8 30-20" fill="none" stroke="#2f6bb0" stroke-width="3" stroke-dasharray="5 5"/>
      <path d="M66 50c-8-9-11-13-11-19a11 11 0 0 1 22 0c0 6-3 10-11 19z" fill="#c9452e"/>
      <circle cx="66" cy="31" r="4" fill="#fff"/>`),
  },
  {
    id: "biscuits",
    name: "Biscuits",
    blurb: "Sealed, and at most 4,096 bites a tin.",
    price: 620,
    tint: "clay",
    picture: draw(`
      <circle cx="44" cy="56" r="28" fill="#c98a4b"/>
      <circle cx="44" cy="56" r="23" fill="#dda566"/>
      <circle cx="66" cy="34" r="19" fill="#c98a4b"/>
      <circle cx="66" cy="34" r="15" fill="#e7b67c"/>
      <g fill="#5a3420"><circle cx="35" cy="48" r="4"/><circle cx="50" cy="60" r="4"/><circle cx="34" cy="66" r="3.5"/>
      <circle cx="47" cy="72" r="3"/><circle cx="62" cy="29" r="3"/><circle cx="72" cy="37" r="3.5"/></g>`),
  },
];

/** The product with an id from a form. */
export function findProduct(id: string): Product | undefined {
  return products.find((product) => product.id === id);
}

/** Somebody who can sign in. */
export interface User {
  readonly id: string;
  readonly name: string;
  /** In plain text only in this example: a real shop keeps a slow hash. */
  readonly password: string;
}

/** The accounts to try the shop with. */
export const users: readonly User[] = [
  { id: "ada", name: "Ada", password: "lovelace" },
  { id: "grace", name: "Grace", password: "hopper" },
];

function draw(shapes: string): Html {
  return new Html(
    `<svg viewBox="0 0 100 100" aria-hidden="true" focusable="false">${shapes}</svg>`,
  );
}
