import { createHash } from "node:crypto";

import type { AnyRow, Columns } from "./columns.ts";
import { FatalError, RecordError } from "./errors.ts";
import type { CountRows, FindRows } from "./ports/read-model-reader.ts";
import { valueFault } from "./stored-row.ts";

/** Where a page ended: the values of the ordering columns, and the row's key. */
export interface PageEnd {
  readonly values: readonly unknown[];
  readonly key: string;
}

const bigintMark = "$bigint";
const numberMark = "$number";

/** JSON with bigints, and the doubles that JSON lacks, as marked texts. */
const write = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === "bigint") return { [bigintMark]: String(item) };
    if (typeof item === "number" && !Number.isFinite(item)) return { [numberMark]: String(item) };
    return item;
  });

const read = (text: string): unknown =>
  JSON.parse(text, (_, item: unknown) => {
    if (typeof item !== "object" || item === null) return item;
    if (bigintMark in item) return BigInt(String(item[bigintMark]));
    if (numberMark in item) return Number(item[numberMark]);
    return item;
  });

/** The order and the filter that a cursor belongs to, as a short digest. */
function bindingOf(projection: string, query: FindRows): string {
  const where = Object.entries(query.where ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const order = (query.orderBy ?? []).map((by) => [by.column, by.descending === true]);
  const bytes = createHash("sha256")
    .update(write([projection, where, order]))
    .digest();
  return bytes.toString("base64url", 0, 9);
}

/** An opaque cursor: base64url, bound to projection, order and filter. */
export function encodeCursor(projection: string, query: FindRows, end: PageEnd): string {
  const cursor = [bindingOf(projection, query), end.values, end.key];
  return Buffer.from(write(cursor)).toString("base64url");
}

/** @throws RecordError `cursor-invalid`. */
export function decodeCursor(
  projection: string,
  columns: Columns,
  query: FindRows & { readonly after: string },
): PageEnd {
  const end = parse(query.after);
  if (end === undefined) throw invalid("It can't be read.");
  if (end.binding !== bindingOf(projection, query)) {
    throw invalid("It was made for another order or filter.");
  }
  const order = query.orderBy ?? [];
  const fits = order.every(({ column }, index) => {
    const declared = columns[column];
    return declared !== undefined && valueFault(declared, end.values[index]) === undefined;
  });
  if (!fits || end.values.length !== order.length) throw invalid("Its values fit no row.");
  return end;
}

function parse(cursor: string): (PageEnd & { binding: string }) | undefined {
  if (!/^[A-Za-z0-9_-]{1,8192}$/.test(cursor)) return undefined;
  try {
    const parts = read(Buffer.from(cursor, "base64url").toString("utf8"));
    if (!Array.isArray(parts) || parts.length !== 3) return undefined;
    const [binding, values, key] = parts as unknown[];
    if (typeof binding !== "string" || typeof key !== "string" || key.includes("\0")) {
      return undefined;
    }
    return Array.isArray(values) ? { binding, values, key } : undefined;
  } catch {
    return undefined;
  }
}

const invalid = (why: string) =>
  new RecordError("cursor-invalid", `This cursor can't be used. ${why} Ask for the first page.`);

/** @throws FatalError `query-invalid` for unknown columns, values that can't match, bad limits. */
export function assertQuery(projection: string, columns: Columns, query: FindRows): void {
  refuse(projection, [...pageFaults(columns, query)]);
}

/** @throws FatalError `query-invalid` for unknown columns, and values that can't be compared. */
export function assertCount(projection: string, columns: Columns, query: CountRows): void {
  refuse(projection, [...countFaults(columns, query)]);
}

function refuse(projection: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const message = `${projection} can't be asked so: ${faults.join("; ")}.`;
  throw new FatalError("query-invalid", message, "Correct the query in the code that asks.");
}

function* pageFaults(columns: Columns, query: FindRows): Generator<string> {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > rowsMax) {
    yield `limit must be a whole number from 1 to ${rowsMax}, not ${query.limit}`;
  }
  yield* whereFaults(columns, query.where ?? {});
  for (const { column: name } of query.orderBy ?? []) {
    if (columns[name] === undefined) yield `it has no column ${name}`;
    else if (columns[name].kind === "json") yield `${name} is JSON, which has no order`;
  }
}

function* countFaults(columns: Columns, { where, below }: CountRows): Generator<string> {
  yield* whereFaults(columns, where ?? {});
  if (below === undefined) return;
  const { column: name, value } = below;
  if (value === null) yield `nothing is below null, which ${name} should be`;
  else yield* whereFaults(columns, { [name]: value });
}

function* whereFaults(columns: Columns, where: AnyRow): Generator<string> {
  for (const name in where) {
    const column = columns[name];
    if (column === undefined) yield `it has no column ${name}`;
    else if (column.kind === "json") yield `${name} is JSON, which can't be compared`;
    else if (where[name] !== null && valueFault(column, where[name]) !== undefined) {
      yield `${name} ${valueFault(column, where[name])}`;
    }
  }
}

/** The most rows of one page. */
export const rowsMax = 10_000;
