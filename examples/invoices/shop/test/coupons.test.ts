import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { readCoupons } from "../src/coupons.js";
import { FormatError } from "../src/errors.js";

function read(text: string) {
  const path = join(mkdtempSync(join(tmpdir(), "coupons-")), "coupons.csv");
  writeFileSync(path, text);
  return readCoupons(path);
}

test("both kinds of coupons are read", () => {
  const coupons = read("code,value\nSUMMER,15%\nFIVE,5.00\n");
  assert.equal(coupons.get("SUMMER")?.kind, "share");
  assert.equal(coupons.get("FIVE")?.kind, "amount");
});

test("a share of more than everything is refused", () => {
  assert.throws(() => read("code,value\nMAD,101%\n"), FormatError);
});
