import type {
  RebuildChange,
  RebuildRecord,
  RebuildRequest,
  RebuildState,
  RebuildWish,
} from "../../../engine/ports/rebuilds.ts";
import { fromJson, toJson } from "../stored-json.ts";

export interface RebuildRow {
  readonly id: bigint;
  readonly request: object;
  readonly accept: boolean;
  readonly state: RebuildState;
  readonly wish: RebuildWish;
  readonly asked: object | null;
  readonly base: number;
  readonly shadow: number | null;
  readonly plan: object | null;
  readonly progress: object | null;
  readonly proof: object | null;
  readonly failure: object | null;
  readonly swap_held_ms: number | null;
  readonly undo_until_ms: number | null;
  readonly conductor: string | null;
  readonly created_at: Date;
  readonly changed_at: Date;
  /** Of the database, when the row was read. */
  readonly now_ms: number;
}

/** A lease that has run out is nobody's. */
export const rebuildColumns = `id, request, accept, state, wish, asked, base, shadow, plan, progress,
  proof, failure, swap_held_ms, undo_until_ms, created_at, changed_at,
  case when lease_until > clock_timestamp() then conductor end as conductor,
  extract(epoch from clock_timestamp())::float8 * 1000 as now_ms`;

export function rebuildRecord(row: RebuildRow): RebuildRecord {
  return {
    id: row.id,
    request: { ...(fromJson(row.request) as RebuildRequest), accept: row.accept },
    state: row.state,
    wish: row.wish,
    ...(row.asked === null
      ? {}
      : { asked: storedPart<NonNullable<RebuildRecord["asked"]>>(row.asked) }),
    base: row.base,
    shadow: row.shadow ?? undefined,
    plan: storedPart(row.plan),
    progress: storedPart(row.progress),
    proof: storedPart(row.proof),
    failure: storedPart(row.failure),
    swapHeldMs: row.swap_held_ms ?? undefined,
    conductor: row.conductor ?? undefined,
    createdAtMs: row.created_at.getTime(),
    changedAtMs: row.changed_at.getTime(),
    undoUntilMs: row.undo_until_ms ?? undefined,
  };
}

function storedPart<Part>(stored: object): Part;
function storedPart<Part>(stored: object | null): Part | undefined;
function storedPart<Part>(stored: object | null): Part | undefined {
  return stored === null ? undefined : (fromJson(stored) as Part);
}

const json = (value: unknown): string | null => (value === undefined ? null : toJson(value));
const asIs = (value: unknown): unknown => value ?? null;

/** Columns of what may change, and how they are written. */
const changing: Readonly<
  Record<keyof RebuildChange, readonly [column: string, write: (value: unknown) => unknown]>
> = {
  state: ["state", asIs],
  shadow: ["shadow", asIs],
  plan: ["plan", json],
  progress: ["progress", json],
  proof: ["proof", json],
  failure: ["failure", json],
  swapHeldMs: ["swap_held_ms", asIs],
  undoUntilMs: ["undo_until_ms", asIs],
  accept: ["accept", asIs],
};

/** What is named is written, `undefined` as nothing; the rest stays. `first`: the first parameter. */
export function changedColumns(
  change: RebuildChange,
  first: number,
): { readonly set: string; readonly values: readonly unknown[] } {
  const named = (Object.keys(change) as (keyof RebuildChange)[]).map((name) => {
    const [column, write] = changing[name];
    return { column, value: write(change[name]) };
  });
  const assignments = named.map(({ column }, index) => `${column} = $${first + index}`);
  return {
    set: [...assignments, "changed_at = clock_timestamp()"].join(", "),
    values: named.map(({ value }) => value),
  };
}
