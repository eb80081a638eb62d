/** How values are told where Debezium leaves the choice; the names of modes are Debezium's. */
export interface ValueModes {
  /** numeric and money: as Connect's Decimal, as a double, or as text. */
  readonly decimal: "precise" | "double" | "string";
  /** date, time, timestamp: which of the semantic types, and so which unit. */
  readonly time:
    | "adaptive"
    | "adaptive_time_microseconds"
    | "connect"
    | "isostring"
    | "microseconds"
    | "nanoseconds";
  readonly binary: "bytes" | "base64" | "base64-url-safe" | "hex";
  /** Microseconds, a month being 30.4375 days, or ISO 8601 text. */
  readonly interval: "numeric" | "string";
  readonly hstore: "json" | "map";
  /** Decimals of money. */
  readonly moneyDecimals: number;
  /** What an unchanged value stored out of line is written as; `hex:` and digits give its bytes. */
  readonly unavailable: string;
  /** Columns whose type no converter knows: the start fails, they are left out, or told as bytes. */
  readonly unknownTypes: "refused" | "left-out" | "bytes";
  /**
   * What Debezium tells in a way that readers can't take back: NULL in a column with a DEFAULT
   * arrives as the default, a delete under a replica identity without the key has zeros for it,
   * generated columns are told by the snapshot only. Refused (generated columns: left out), or
   * told the same.
   */
  readonly ambiguous: "refused" | "told";
}

export const defaultValueModes: ValueModes = {
  decimal: "precise",
  time: "adaptive",
  binary: "bytes",
  interval: "numeric",
  hstore: "json",
  moneyDecimals: 2,
  unavailable: "__debezium_unavailable_value",
  unknownTypes: "refused",
  ambiguous: "refused",
};
