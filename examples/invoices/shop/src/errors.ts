/** A line of an input file that does not read. */
export class FormatError extends Error {
  constructor(
    readonly file: string,
    readonly line: number,
    message: string,
  ) {
    super(`${file}:${line}: ${message}`);
    this.name = "FormatError";
  }
}

/** An amount of money that would fall below zero. */
export class NegativeAmountError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NegativeAmountError";
  }
}
