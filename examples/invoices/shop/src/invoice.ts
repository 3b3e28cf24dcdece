import { Money } from "./money.js";
import type { Order } from "./orders.js";
import { discounted, subtotal } from "./pricing.js";

const TITLE_WIDTH = 24;
const AMOUNT_WIDTH = 10;

/** What a customer has to pay for an order. */
export class Invoice {
  readonly subtotal: Money;
  readonly total: Money;

  constructor(readonly order: Order) {
    this.subtotal = subtotal(
      order.items.map(({ product, quantity }) => ({ price: product.price, quantity })),
    );
    this.total = discounted(this.subtotal, order.coupons);
  }

  /** The invoice as text, a line for each item. */
  render(): string {
    const lines = this.order.items.map(({ product, quantity }) =>
      row(`${quantity} x ${product.title}`, product.price.times(quantity)),
    );
    if (this.order.coupons.length > 0) {
      const codes = this.order.coupons.map((coupon) => coupon.code).join(", ");
      lines.push(row(`less ${codes}`, this.subtotal.minus(this.total)));
    }
    return [`Order ${this.order.number}`, ...lines, row("to pay", this.total), ""].join("\n");
  }
}

function row(title: string, amount: Money): string {
  return title.padEnd(TITLE_WIDTH) + amount.toString().padStart(AMOUNT_WIDTH);
}
