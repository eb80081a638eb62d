import { FatalError, TransientError } from "../errors.ts";
import type { Comparisons, ViewedGeneration } from "../ports/comparisons.ts";
import type { SnapshotRow, StandingPartition } from "../ports/read-model-snapshots.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { RowPosition, RowSource } from "../ports/row-source.ts";
import type { AnyRow } from "../columns.ts";
import type { AnyProjection } from "../projection.ts";
import { comparedColumns } from "../rebuild/compared-columns.ts";
import { differingFields, type DifferingRow, rowDifferences } from "../rebuild/row-differences.ts";
import { compareText } from "../memory/find-rows.ts";
import { storedColumns } from "../task/pipeline.ts";
import { DigestCount } from "./digest-count.ts";
import { foldOn } from "./past-fold.ts";
import { partitionOfRow } from "./narrowed.ts";
import { covers, type PassedOver, passedOver } from "./passed-over.ts";
import { cutsOfPositions, type FoldedModel, readModelAt } from "./read-model-at.ts";
import type { HistorySource } from "./source.ts";

export interface AuditSource extends HistorySource {
  readonly comparisons: Comparisons;
}

/** A stored row that isn't what the history gives: `live` is stored, `shadow` is the history's. */
export type DriftedRow = DifferingRow;

export interface WholeAudit {
  readonly projection: AnyProjection;
  readonly generation: Generation;
  /** What the log's fold may begin with. */
  readonly from: "beginning" | "snapshot";
  /** Rows that may be held in memory; a read model that has more is refused. */
  readonly rowsMax: number;
  /** Called for each row that differs, in order of key. */
  readonly onDrift: (row: DriftedRow) => void;
  readonly signal?: AbortSignal;
  /** See `ReplayTo`. */
  readonly pace?: (offsets: number) => Promise<void>;
}

export interface AuditVerdict {
  /** Where the stored rows stood, of partitions of which something was applied. */
  readonly positions: readonly RowPosition[];
  readonly storedRows: number;
  readonly historyRows: number;
  /** Rows only in the history, only stored, in both with differences. */
  readonly missing: number;
  readonly extra: number;
  readonly changed: number;
  /** How many rows differ in each column. */
  readonly fields: ReadonlyMap<string, number>;
  /** Buckets whose stored digest isn't that of the stored rows. */
  readonly digestsDiffering: readonly number[];
  /** What the fold began with. */
  readonly from: bigint | "beginning";
}

/**
 * Compares all stored rows of a generation with the log, folded anew up to exactly where they stand:
 * nothing is held up, because rows and positions are of one moment.
 *
 * The log is folded to where the generation stands now before that moment is looked at, so that the
 * moment needn't be kept for longer than the rest takes.
 *
 * @throws FatalError `version-differs`, `history-gone`, `history-too-large`, `replay-halted`,
 * `generation-unknown`; TransientError.
 */
export async function auditWhole(source: AuditSource, audit: WholeAudit): Promise<AuditVerdict> {
  assertVersion(audit.projection, audit.generation);
  const { comparisons, deadLetters } = source;
  const of = [audit.generation];
  const before = await passedOver(deadLetters, audit.generation);
  const standing = await comparisons.within(of, async ([view]) => standingOf(view));
  const folded = await foldedTo(source, audit, standing);
  return comparisons.within(of, async ([view]) => {
    const positions = standingOf(view);
    const over = await passedOver(deadLetters, audit.generation);
    // What was passed over and has been redriven since stands in the rows, and not in the fold.
    if (!covers(over, before)) throw lettersSettled(audit.generation);
    await bringTo(source, audit, { folded, positions, over });
    return compared(audit, { view: view as ViewedGeneration, positions, folded });
  });
}

function foldedTo(
  source: AuditSource,
  audit: WholeAudit,
  positions: readonly RowPosition[],
): Promise<FoldedModel> {
  const { generation } = audit.generation;
  return readModelAt(source, { ...audit, cuts: cutsOfPositions(positions), generation });
}

async function bringTo(
  source: AuditSource,
  audit: WholeAudit,
  to: {
    readonly folded: FoldedModel;
    readonly positions: readonly RowPosition[];
    readonly over: PassedOver;
  },
): Promise<void> {
  const { projection, signal, pace } = audit;
  await foldOn(source, to.folded, {
    projection,
    cuts: cutsOfPositions(to.positions),
    passedOver: to.over,
    ...(signal ? { signal } : {}),
    ...(pace ? { pace } : {}),
  });
}

async function compared(
  { projection, onDrift }: Pick<WholeAudit, "projection" | "onDrift">,
  of: {
    readonly view: ViewedGeneration;
    readonly positions: readonly RowPosition[];
    readonly folded: FoldedModel;
  },
): Promise<AuditVerdict> {
  const { view, positions, folded } = of;
  const columns = storedColumns(projection);
  const stored = new DigestCount(columns);
  const history = folded.store.scan(folded.generation);
  const fields = new Map<string, number>();
  const counts = { missing: 0, extra: 0, changed: 0 };
  const both = comparedColumns(columns, columns);
  for await (const row of rowDifferences(stored.through(view.rows()), history, both)) {
    counts[kindOf(row)] += 1;
    for (const field of row.fields) fields.set(field, (fields.get(field) ?? 0) + 1);
    onDrift(row);
  }
  return {
    positions,
    storedRows: stored.rows,
    historyRows: folded.store.rows,
    ...counts,
    fields,
    digestsDiffering: stored.differing(view.digests),
    from: folded.from,
  };
}

/** What is the matter with a row. */
export const kindOf = ({ live, shadow }: DriftedRow): "missing" | "extra" | "changed" => {
  if (live === undefined) return "missing";
  return shadow === undefined ? "extra" : "changed";
};

export const standingOf = (view: ViewedGeneration | undefined): RowPosition[] =>
  (view?.standing ?? []).flatMap(applied);

const applied = ({ topic, partition, position }: StandingPartition): RowPosition[] =>
  position === undefined ? [] : [{ topic, partition, position }];

export interface KeyAudit {
  readonly projection: AnyProjection;
  readonly generation: Generation;
  readonly key: string;
  /** See `ReplayTo`. */
  readonly pace?: (offsets: number) => Promise<void>;
}

/**
 * Compares one stored row with the history, at exactly where its partition stands.
 *
 * @returns undefined where they are alike.
 * @throws FatalError `version-differs`, what `RowSource.rowAt` does.
 */
export async function auditKey(
  { comparisons, rows }: { readonly comparisons: Comparisons; readonly rows: RowSource },
  audit: KeyAudit,
): Promise<DriftedRow | undefined> {
  const { projection, generation, key, pace } = audit;
  const how = pace ? { pace } : {};
  assertVersion(projection, generation);
  const seen = await comparisons.within([generation], async ([view]) => {
    const stored = view && (await storedRow(view, key));
    return { stored, positions: standingOf(view) };
  });
  const known = partitionOfRow(projection, key);
  // Where nothing tells where its records are, each partition alone tells whether it made the row:
  // first the one that the stored row claims.
  const all = [seen.stored?.partition ?? 0, ...seen.positions.map((at) => at.partition)];
  const partitions = known === undefined ? new Set(all) : new Set([known]);
  for (const one of partitions) {
    const at = seen.positions.filter((position) => position.partition === one);
    const row = await rows.rowAt({ of: generation, key, partition: one, at, ...how });
    if (row !== undefined) return driftOf(projection, key, { stored: seen.stored?.row, row });
  }
  return driftOf(projection, key, { stored: seen.stored?.row, row: undefined });
}

/** Rows stand in order of key: what is beyond it needn't be read. */
async function storedRow(view: ViewedGeneration, key: string): Promise<SnapshotRow | undefined> {
  if (view.row) return view.row(key);
  for await (const page of view.rows()) {
    const found = page.find((row) => row.key === key);
    if (found !== undefined) return found;
    const last = page.at(-1);
    if (last !== undefined && compareText(last.key, key) > 0) return undefined;
  }
  return undefined;
}

/** undefined: the two rows are alike. */
export function driftOf(
  projection: AnyProjection,
  key: string,
  { stored, row }: { readonly stored: AnyRow | undefined; readonly row: AnyRow | undefined },
): DriftedRow | undefined {
  if (stored === undefined && row === undefined) return undefined;
  const none = { key, live: stored, shadow: row, fields: [] };
  if (stored === undefined || row === undefined) return none;
  const columns = storedColumns(projection);
  const fields = differingFields(stored, row, comparedColumns(columns, columns));
  return fields.length === 0 ? undefined : { ...none, fields };
}

const lettersSettled = ({ projection }: Generation): TransientError =>
  new TransientError(
    "letters-settled",
    `Dead letters of ${projection} were settled while it was audited. Audit it again.`,
  );

function assertVersion({ name, version }: AnyProjection, generation: Generation): void {
  if (generation.version === version) return;
  throw new FatalError(
    "version-differs",
    `Generation ${generation.generation} of ${name} was made by version ${generation.version}, ` +
      `and this code has version ${version}: it can't tell what the rows should be.`,
    "Audit it with the code that made it.",
  );
}
