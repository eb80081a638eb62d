import type { PoolClient } from "pg";

import { statementName } from "./stored-rows/row-table.ts";

/** A call of a function of ours, with its parameters in binary. */
export interface FunctionCall {
  readonly name: string;
  /** Of the parameters. */
  readonly types: readonly string[];
  readonly values: readonly unknown[];
}

/**
 * Calls functions one after the other in one statement; each sees what those before it wrote.
 * @returns what they gave, in order.
 */
export async function callFunctions(
  client: PoolClient,
  calls: readonly FunctionCall[],
): Promise<readonly unknown[]> {
  if (calls.length === 0) return [];
  let parameters = 0;
  const texts = calls.map(({ name, types }) => {
    const given = types.map((type) => `$${(parameters += 1)}::${type}`);
    return `${name}(${given.join(", ")})`;
  });
  const text = `select ${texts.join(", ")}`;
  const values = calls.flatMap((call) => call.values);
  const given = { name: statementName(text), text, values, rowMode: "array" } as const;
  const { rows } = await client.query<unknown[]>(given);
  return rows[0] ?? [];
}

/**
 * Settings of a function whose statements look keys up in tables that grow under kept plans: always
 * the generic plan, by indexes.
 */
export const byIndexes = `set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan`;
