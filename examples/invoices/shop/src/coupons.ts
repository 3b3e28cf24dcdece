import { field, readRows, type Row } from "./csv.js";
import { FormatError } from "./errors.js";
import { Money } from "./money.js";

/** Takes a share of the price off, or an amount. */
export type Coupon =
  | { readonly kind: "share"; readonly code: string; readonly share: number }
  | { readonly kind: "amount"; readonly code: string; readonly amount: Money };

/** The coupons by their codes, from a file with lines such as `SUMMER,15%` and `FIVE,5.00`. */
export function readCoupons(path: string): Map<string, Coupon> {
  return new Map(readRows(path).map((row) => [field(row, "code"), readCoupon(row)]));
}

function readCoupon(row: Row): Coupon {
  const code = field(row, "code");
  const value = field(row, "value");
  if (!value.endsWith("%")) {
    return { kind: "amount", code, amount: Money.parse(value) };
  }
  const share = Number(value.slice(0, -1));
  if (!(share > 0 && share <= 100)) {
    throw new FormatError(row.file, row.line, `${value} is no share of a price`);
  }
  return { kind: "share", code, share };
}
