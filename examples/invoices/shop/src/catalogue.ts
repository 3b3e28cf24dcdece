import { field, readRows } from "./csv.js";
import { Money } from "./money.js";

/** What the shop sells. */
export interface Product {
  readonly code: string;
  readonly title: string;
  readonly price: Money;
}

/** The products by their codes. */
export class Catalogue {
  private readonly products = new Map<string, Product>();

  static read(path: string): Catalogue {
    const catalogue = new Catalogue();
    for (const row of readRows(path)) {
      const code = field(row, "code");
      const price = Money.parse(field(row, "price"));
      catalogue.products.set(code, { code, title: field(row, "title"), price });
    }
    return catalogue;
  }

  find(code: string): Product {
    const product = this.products.get(code);
    if (product === undefined) {
      throw new RangeError(`the catalogue has no product ${code}`);
    }
    return product;
  }
}
