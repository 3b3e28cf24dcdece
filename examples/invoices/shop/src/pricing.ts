import type { Coupon } from "./coupons.js";
import { Money } from "./money.js";

/** A position of a basket: a price for one, and how many. */
export interface Position {
  readonly price: Money;
  readonly quantity: number;
}

/** What the positions cost without coupons. */
export function subtotal(positions: Iterable<Position>): Money {
  let sum = Money.zero;
  for (const { price, quantity } of positions) {
    sum = sum.plus(price.times(quantity));
  }
  return sum;
}

/** What a coupon takes off; an amount is never more than there is to pay. */
export function discount(price: Money, coupon: Coupon): Money {
  if (coupon.kind === "share") {
    return price.times(coupon.share);
  }
  return coupon.amount.cents > price.cents ? price : coupon.amount;
}

/** What is left to pay after all coupons, each of them on what the one before has left. */
export function discounted(price: Money, coupons: Iterable<Coupon>): Money {
  let left = price;
  for (const coupon of coupons) {
    left = left.minus(discount(left, coupon));
  }
  return left;
}
