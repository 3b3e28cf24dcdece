import { readFileSync } from "node:fs";
import { basename } from "node:path";

import { FormatError } from "./errors.js";

/** One line of a CSV file: where it stands, and its fields by the header's names. */
export interface Row {
  readonly file: string;
  readonly line: number;
  readonly fields: ReadonlyMap<string, string>;
}

/** The lines of a CSV file below its header. Fields hold neither commas nor quotes. */
export function readRows(path: string): Row[] {
  const file = basename(path);
  const [header, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n");
  const names = header.split(",").map((name) => name.trim());
  return lines.map((text, index) => {
    const line = index + 2;
    const values = text.split(",").map((value) => value.trim());
    if (values.length !== names.length) {
      throw new FormatError(file, line, `${names.length} fields expected, not ${values.length}`);
    }
    return { file, line, fields: new Map(names.map((name, at) => [name, values[at]])) };
  });
}

/** A field that has to be there. */
export function field(row: Row, name: string): string {
  const value = row.fields.get(name);
  if (value === undefined || value === "") {
    throw new FormatError(row.file, row.line, `no ${name}`);
  }
  return value;
}
