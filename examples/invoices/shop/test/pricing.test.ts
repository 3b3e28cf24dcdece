import assert from "node:assert/strict";
import { test } from "node:test";

import { Money } from "../src/money.js";
import { discounted, subtotal } from "../src/pricing.js";

const price = Money.parse("40.00");

test("a subtotal counts quantities", () => {
  const positions = [
    { price: Money.parse("1.50"), quantity: 2 },
    { price: Money.parse("4.00"), quantity: 1 },
  ];
  assert.equal(subtotal(positions).toString(), "7.00");
});

test("a share is taken off", () => {
  const coupon = { kind: "share", code: "QUARTER", share: 0.25 } as const;
  assert.equal(discounted(price, [coupon]).toString(), "30.00");
});

test("an amount is taken off, but no more than there is", () => {
  const coupon = { kind: "amount", code: "FIFTY", amount: Money.parse("50.00") } as const;
  assert.equal(discounted(price, [coupon]).toString(), "0.00");
});
