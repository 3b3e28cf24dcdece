import { NegativeAmountError } from "./errors.js";

const CENTS = 100;

/** An amount of money, in whole cents and never negative. */
export class Money {
  private constructor(readonly cents: number) {}

  static readonly zero = new Money(0);

  static ofCents(cents: number): Money {
    return new Money(Math.round(cents));
  }

  /** Reads `12.50` or `12`. */
  static parse(text: string): Money {
    if (!/^\d+(\.\d\d)?$/.test(text)) {
      throw new RangeError(`${JSON.stringify(text)} is not an amount of money`);
    }
    return Money.ofCents(Number(text) * CENTS);
  }

  plus(other: Money): Money {
    return new Money(this.cents + other.cents);
  }

  minus(other: Money): Money {
    if (other.cents > this.cents) {
      throw new NegativeAmountError(`${this} - ${other} is below zero`);
    }
    return new Money(this.cents - other.cents);
  }

  times(factor: number): Money {
    return Money.ofCents(this.cents * factor);
  }

  toString(): string {
    return (this.cents / CENTS).toFixed(2);
  }
}
