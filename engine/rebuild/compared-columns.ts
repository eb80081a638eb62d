import type { Column, Columns } from "../columns.ts";

/** What two builds of a read model, perhaps of two versions, can be compared by. */
export interface ComparedColumns {
  /** In both, of the same type; in order of the shadow's declaration. */
  readonly common: readonly (readonly [name: string, column: Column])[];
  /** Only in the shadow, or there of another type. */
  readonly added: readonly string[];
  /** Only in the serving generation, or there of another type. */
  readonly removed: readonly string[];
}

export function comparedColumns(live: Columns, shadow: Columns): ComparedColumns {
  const isCommon = (name: string): boolean => {
    const [one, other] = [live[name], shadow[name]];
    return one !== undefined && other !== undefined && one.kind === other.kind;
  };
  return {
    common: Object.entries(shadow).filter(([name]) => isCommon(name)),
    added: Object.keys(shadow).filter((name) => !isCommon(name)),
    removed: Object.keys(live).filter((name) => !isCommon(name)),
  };
}
