/**
 * The cart: how the forms on the shelf and in the cart change the session.
 *
 * @module
 */
import { findProduct, type Product, products } from "./catalogue.ts";
import { field, RequestError } from "./forms.ts";
import type { ShopSession } from "./session.ts";
import type { Line } from "./views/cart.ts";

const MAX_QUANTITY = 20;

/** The cart, in the order of the shelf. */
export function linesOf(session: ShopSession): Line[] {
  return products.flatMap((product) => {
    const quantity = session.get(`cart:${product.id}`);
    return quantity ? [{ product, quantity }] : [];
  });
}

/** Adds one of a product to the cart, and returns the page to go to. */
export function addToCart(session: ShopSession, { id, name }: Product): string {
  const quantity = (session.get(`cart:${id}`) ?? 0) + 1;
  session.set(`cart:${id}`, Math.min(quantity, MAX_QUANTITY));
  session.flash("notice", `${name}: added to your cart.`);
  return `/#${id}`;
}

/** Changes how many of a product are in the cart, and returns the page to go to. */
export function setQuantity(
  session: ShopSession,
  { id, name }: Product,
  quantity: number,
): string {
  if (!session.has(`cart:${id}`)) {
    session.flash("error", `${name}: not in your cart.`);
  } else if (quantity > 0) {
    session.set(`cart:${id}`, quantity);
    session.flash("notice", `${name}: now ${quantity} in your cart.`);
  } else {
    session.unset(`cart:${id}`);
    session.flash("notice", `${name}: taken out of your cart.`);
  }
  return "/cart";
}

/** Empties the cart, and returns the page to go to. */
export function checkOut(session: ShopSession): string {
  const lines = linesOf(session);
  if (lines.length === 0) {
    session.flash("error", "There is nothing in your cart yet.");
    return "/cart";
  }
  for (const { product } of lines) session.unset(`cart:${product.id}`);
  session.flash("notice", "Thank you! Your order is on its way, or would be.");
  return "/";
}

/** The product that a form names. */
export function productOf(form: URLSearchParams): Product {
  const product = findProduct(field(form, "product"));
  if (!product) throw new RequestError(400, "There is no such product.");
  return product;
}

/** The quantity in a form. */
export function quantityOf(form: URLSearchParams): number {
  const text = field(form, "quantity");
  const quantity = Number(text);
  if (!/^\d{1,2}$/.test(text) || quantity > MAX_QUANTITY) {
    throw new RequestError(
      400,
      `A quantity is a whole number from 0 to ${MAX_QUANTITY}.`,
    );
  }
  return quantity;
}
