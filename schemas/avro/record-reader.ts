import type { ByteCursor } from "./byte-cursor.ts";

type Read = (cursor: ByteCursor) => unknown;

/** A writer's field, in the writer's order: read into a field of the reader's, or passed over. */
export type FieldStep =
  { readonly name: string; readonly read: Read } | { readonly skip: (cursor: ByteCursor) => void };

export interface RecordPlan {
  readonly steps: readonly FieldStep[];
  /** The reader's fields that the writer doesn't have. */
  readonly defaults: readonly { readonly name: string; readonly make: () => unknown }[];
}

/**
 * Makes a record's reader. Fields are always set in the same order, so that all records of a pair
 * of schemas share one hidden class.
 */
export function recordReader(plan: RecordPlan): Read {
  const steps = plan.steps.map((step) =>
    "read" in step ? step : { name: undefined, read: step.skip },
  );
  const { defaults } = plan;
  return (cursor) => {
    const record: Record<string, unknown> = {};
    for (const { name, read } of steps) {
      if (name === undefined) read(cursor);
      else if (name === "__proto__") setOwn(record, name, read(cursor));
      else record[name] = read(cursor);
    }
    for (const { name, make } of defaults) setOwn(record, name, make());
    return record;
  };
}

/** Assigning to `__proto__` would give the record another prototype. */
function setOwn(record: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") record[name] = value;
  else {
    const property = { value, enumerable: true, writable: true, configurable: true };
    Object.defineProperty(record, name, property);
  }
}
