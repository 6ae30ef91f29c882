/**
 * The cart.
 *
 * @module
 */
import type { Product } from "../catalogue.ts";
import { type Html, html } from "../html.ts";
import type { Body } from "./frame.ts";
import { money } from "./words.ts";

/** A product in the cart. */
export interface Line {
  product: Product;
  quantity: number;
}

/** The cart. */
export function cartPage(lines: Line[]): Body {
  const total = lines.reduce(
    (sum, { product, quantity }) => sum + product.price * quantity,
    0,
  );
  const body = lines.length === 0
    ? html`
      <h1>Your cart</h1>
      <p class="lead">It is empty.</p>
      <p><a class="button" href="/">Look around</a></p>
    `
    : html`
      <h1>Your cart</h1>
      <ul class="lines">${lines.map(cartLine)}</ul>
      <div class="total">
        <p>Total <strong>${money(total)}</strong></p>
        <form method="post" action="/checkout"><button>Check out</button></form>
      </div>
    `;
  return { title: "Cart", body };
}

function cartLine({ product, quantity }: Line): Html {
  const { id, name, price, tint, picture } = product;
  return html`
    <li>
      <div class="picture ${tint}">${picture}</div>
      <div class="what">
        <h2>${name}</h2>
        <p>${money(price)} each</p>
      </div>
      <form class="quantity" method="post" action="/cart/quantity">
        <input type="hidden" name="product" value="${id}">
        <label class="hidden"
          for="quantity-${id}">Quantity of ${name}</label>
        <input id="quantity-${id}" name="quantity" type="number" min="0"
          max="20" value="${quantity}" required>
        <button
          class="quiet">Update<span class="hidden"> ${name}</span></button>
      </form>
      <form method="post" action="/cart/remove">
        <input type="hidden" name="product" value="${id}">
        <button
          class="quiet">Remove<span class="hidden"> ${name}</span></button>
      </form>
      <strong class="price">${money(price * quantity)}</strong>
    </li>
  `;
}
