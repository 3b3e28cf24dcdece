import { join } from "node:path";

import { Catalogue } from "./catalogue.js";
import { readCoupons } from "./coupons.js";
import { Invoice } from "./invoice.js";
import { readOrders } from "./orders.js";

/** Prints the invoices of a folder with `catalogue.csv`, `coupons.csv` and `orders.csv`. */
function main(folder: string): void {
  const catalogue = Catalogue.read(join(folder, "catalogue.csv"));
  const coupons = readCoupons(join(folder, "coupons.csv"));
  for (const order of readOrders(join(folder, "orders.csv"), catalogue, coupons)) {
    console.log(new Invoice(order).render());
  }
}

main(process.argv[2] ?? "orders");
