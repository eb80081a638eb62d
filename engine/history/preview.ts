import { FatalError } from "../errors.ts";
import type { AnyProjection } from "../projection.ts";
import { type ComparedColumns, comparedColumns } from "../rebuild/compared-columns.ts";
import { type DifferingRow, rowDifferences } from "../rebuild/row-differences.ts";
import { type Cuts, endsOf } from "../replay/cuts.ts";
import { storedColumns, topicsOf } from "../task/pipeline.ts";
import { type FoldedModel, readModelAt } from "./read-model-at.ts";
import type { HistorySource } from "./source.ts";

export interface PreviewAsk {
  /** As it is deployed. */
  readonly current: AnyProjection;
  /** As it would be; name and version may be the same. */
  readonly changed: AnyProjection;
  /** How far both are folded; left out: as far as the log reaches now. */
  readonly cuts?: Cuts;
  /** Rows of either that may be held in memory. */
  readonly rowsMax: number;
  /** Called for each row that differs, in order of key: `live` is the current one's. */
  readonly onDifference: (row: DifferingRow) => void;
  readonly signal?: AbortSignal;
}

export interface PreviewVerdict {
  readonly cuts: Cuts;
  readonly currentRows: number;
  readonly changedRows: number;
  /** Rows that only the changed one has, only the current one has, both have with differences. */
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** How many rows differ in each column that both have. */
  readonly fields: ReadonlyMap<string, number>;
  /** Which columns were compared, and which only one of them has. */
  readonly columns: ComparedColumns;
}

/** Open letters of no generation: the numbers of generations begin at 1. */
const noGeneration = 0;

/**
 * Folds the same history twice, by two definitions, up to the same place, and compares the rows.
 * Nothing is stored, and nothing that runs is touched.
 *
 * The changed definition meets the records that the current one has set aside: it may be meant to
 * mend them.
 *
 * @throws FatalError `replay-halted` naming the record that a definition can't fold, `history-gone`,
 * `history-too-large`; TransientError.
 */
export async function preview(source: HistorySource, ask: PreviewAsk): Promise<PreviewVerdict> {
  const { current, changed, onDifference } = ask;
  const cuts = ask.cuts ?? (await sharedEnds(source, [current, changed]));
  const ones = await folded(source, ask, { projection: current, generation: undefined, cuts });
  const others = await folded(source, ask, { projection: changed, generation: noGeneration, cuts });
  const columns = comparedColumns(storedColumns(current), storedColumns(changed));
  const counts = { added: 0, removed: 0, changed: 0 };
  const fields = new Map<string, number>();
  const pages = [ones, others].map(({ store, generation }) => store.scan(generation)) as [
    AsyncIterable<never>,
    AsyncIterable<never>,
  ];
  for await (const row of rowDifferences(...pages, columns)) {
    counts[kindOf(row)] += 1;
    for (const field of row.fields) fields.set(field, (fields.get(field) ?? 0) + 1);
    onDifference(row);
  }
  const [currentRows, changedRows] = [ones.store.rows, others.store.rows];
  return { cuts, currentRows, changedRows, ...counts, fields, columns };
}

function kindOf({ live, shadow }: DifferingRow): "added" | "removed" | "changed" {
  if (live === undefined) return "added";
  return shadow === undefined ? "removed" : "changed";
}

/** A snapshot was made by the deployed fold: the changed one begins with the log, so both do. */
async function folded(
  source: HistorySource,
  { rowsMax, signal }: PreviewAsk,
  of: {
    readonly projection: AnyProjection;
    readonly generation: number | undefined;
    readonly cuts: Cuts;
  },
): Promise<FoldedModel> {
  const { projection } = of;
  const known = new Set((await source.log.topics()).map(({ name }) => name));
  const lacking = topicsOf(projection).find(({ name }) => !known.has(name));
  if (lacking) throw topicUnknown(projection, lacking.name);
  const end = signal ? { signal } : {};
  return readModelAt(source, { ...of, rowsMax, from: "beginning", ...end });
}

async function sharedEnds(
  { log }: HistorySource,
  projections: readonly AnyProjection[],
): Promise<Cuts> {
  const topics = new Set(projections.flatMap((one) => topicsOf(one).map(({ name }) => name)));
  const known = (await log.topics()).filter(({ name }) => topics.has(name));
  return endsOf(log, known);
}

const topicUnknown = ({ name }: AnyProjection, topic: string): FatalError =>
  new FatalError(
    "topic-unknown",
    `${name} reads ${topic}, and the log has no such topic: there is no history of it.`,
    "Check the topic's name in the definition.",
  );
