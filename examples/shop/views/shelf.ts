/**
 * The page with all products.
 *
 * @module
 */
import { type Product, products } from "../catalogue.ts";
import { type Html, html } from "../html.ts";
import type { Body } from "./frame.ts";
import { money } from "./words.ts";

/** All products. They are the same for every visitor, so they are rendered once. */
export const productsPage: Body = {
  title: "Shop",
  body: html`
    <h1>For the way there and back</h1>
    <p class="lead">Small things that go well in a bag. Your cart comes along.</p>
    <ul class="shelf">${products.map(productCard)}</ul>
  `,
};

function productCard(product: Product): Html {
  const { id, name, blurb, price, tint, picture } = product;
  return html`
    <li class="card" id="${id}">
      <div class="picture ${tint}">${picture}</div>
      <h2>${name}</h2>
      <p>${blurb}</p>
      <form method="post" action="/cart/add">
        <input type="hidden" name="product" value="${id}">
        <span class="price">${money(price)}</span>
        <button>Add<span class="hidden"> ${name}</span> to cart</button>
      </form>
    </li>
  `;
}
