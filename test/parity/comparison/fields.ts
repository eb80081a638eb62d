/** A decoded record of Avro, or an object of JSON. */
export type Fields = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a BEGIN or END of the transactions' topic. */
export function isTransactionEvent(value: Fields): boolean {
  return "status" in value && "data_collections" in value;
}
