/**
 * Column types of read models and processor states. What a row may hold is decided here once, so
 * that every store keeps it alike and a digest can be taken of it.
 */
export type ColumnKind =
  "text" | "integer" | "bigint" | "double" | "boolean" | "timestamp" | "json";

export interface Column<Value = unknown, Kind extends ColumnKind = ColumnKind> {
  readonly kind: Kind;
  readonly nullable: boolean;
  /** Never set: carries the type. */
  readonly _value?: Value;
}

export type Columns = Readonly<Record<string, Column>>;

/** The row type of some columns. */
export type RowOf<C extends Columns> = {
  readonly [Name in keyof C]: C[Name] extends Column<infer Value> ? Value : never;
};

/** A row as the engine sees it where the definition's type isn't at hand. */
export type AnyRow = Readonly<Record<string, unknown>>;

const column = <Value, Kind extends ColumnKind>(kind: Kind): Column<Value, Kind> => ({
  kind,
  nullable: false,
});

/** UTF-8 text without NUL. */
export const text = (): Column<string, "text"> => column("text");
/** A whole number of 32 bits. */
export const integer = (): Column<number, "integer"> => column("integer");
/** A whole number of 64 bits, as a bigint. */
export const bigint = (): Column<bigint, "bigint"> => column("bigint");
/** A double-precision number. */
export const double = (): Column<number, "double"> => column("double");
export const boolean = (): Column<boolean, "boolean"> => column("boolean");
/** Whole milliseconds since 1970 (UTC), as a number; `timestamptz(3)` in Postgres. */
export const timestamp = (): Column<number, "timestamp"> => column("timestamp");
/** A JSON value; `jsonb` in Postgres. Its digest is taken over sorted keys. */
export const json = <Value>(): Column<Value, "json"> => column("json");

/** The same column, where null is allowed. */
export const nullable = <Value, Kind extends ColumnKind>(
  of: Column<Value, Kind>,
): Column<Value | null, Kind> => ({ kind: of.kind, nullable: true });
