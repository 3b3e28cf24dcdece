import type { Catalogue, Product } from "./catalogue.js";
import type { Coupon } from "./coupons.js";
import { field, readRows, type Row } from "./csv.js";
import { FormatError } from "./errors.js";

/** Something ordered. */
export interface Item {
  readonly product: Product;
  readonly quantity: number;
}

/** What one customer ordered, and the coupons that came with it. */
export interface Order {
  readonly number: string;
  readonly items: Item[];
  readonly coupons: Coupon[];
}

/** The orders of a file that has a line for each item; coupons stand on any line, with blanks. */
export function readOrders(
  path: string,
  catalogue: Catalogue,
  coupons: ReadonlyMap<string, Coupon>,
): Order[] {
  const orders = new Map<string, Order>();
  for (const row of readRows(path)) {
    const number = field(row, "order");
    const order = orders.get(number) ?? { number, items: [], coupons: [] };
    orders.set(number, order);
    order.items.push(readItem(row, catalogue));
    for (const code of (row.fields.get("coupons") ?? "").split(" ").filter(Boolean)) {
      const coupon = coupons.get(code);
      if (coupon === undefined) {
        throw new FormatError(row.file, row.line, `there is no coupon ${code}`);
      }
      order.coupons.push(coupon);
    }
  }
  return [...orders.values()];
}

function readItem(row: Row, catalogue: Catalogue): Item {
  const quantity = Number(field(row, "quantity"));
  if (!Number.isInteger(quantity) || quantity < 1) {
    throw new FormatError(row.file, row.line, "the quantity is not a number of pieces");
  }
  return { product: catalogue.find(field(row, "product")), quantity };
}
