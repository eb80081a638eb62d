import type { ByteCursor } from "./byte-cursor.ts";

/** A writer's field, in the writer's order: read into a slot of the reader's, or passed over. */
export type FieldStep =
  | { readonly slot: number; readonly read: (cursor: ByteCursor) => unknown }
  | { readonly skip: (cursor: ByteCursor) => void };

export interface RecordPlan {
  /** The reader's fields; slots are numbered in this order. */
  readonly names: readonly string[];
  readonly steps: readonly FieldStep[];
  /** Slots that the writer doesn't fill. */
  readonly defaults: ReadonlyMap<number, () => unknown>;
  /** Functions that are a method of the cursor, which is then called by its name. */
  readonly methods: ReadonlyMap<(cursor: ByteCursor) => unknown, string>;
}

/**
 * Makes a record's reader by generating its source: an object literal gives every record of a type
 * one hidden class, which neither a loop over names nor a map of closures does (four times slower).
 * Nothing of a schema gets into the source but field names, which are quoted.
 */
export function recordReader(plan: RecordPlan): (cursor: ByteCursor) => unknown {
  const functions: unknown[] = [];
  const call = (fn: unknown): string => `f${functions.push(fn) - 1}`;
  const body = plan.steps.map((step) => {
    const target = "read" in step ? step.read : step.skip;
    const method = plan.methods.get(target);
    const value = method === undefined ? `${call(target)}(cursor)` : `cursor.${method}()`;
    return "read" in step ? `const v${step.slot} = ${value};` : `${value};`;
  });
  const members = plan.names.map((name, slot) => {
    const make = plan.defaults.get(slot);
    // The brackets matter for a field called __proto__.
    return `[${JSON.stringify(name)}]: ${make === undefined ? `v${slot}` : `${call(make)}()`}`;
  });
  const parameters = functions.map((_, index) => `f${index}`);
  const source = `return (cursor) => { ${body.join(" ")} return { ${members.join(", ")} }; };`;
  // oxlint-disable-next-line typescript/no-implied-eval -- see above.
  const generate = new Function(...parameters, source) as (
    ...functions: readonly unknown[]
  ) => (cursor: ByteCursor) => unknown;
  return generate(...functions);
}
