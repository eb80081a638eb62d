import type { AnyRow, Columns, RowOf } from "./columns.ts";
import { accept, type CommandCall, defineCommand, fact } from "./decision/definition.ts";
import { defineProcessor, type ErasedReact, type EventProcessor } from "./processor.ts";
import type { Fold, RecordMeta } from "./projection.ts";
import type { AnyEventType, EventNamed, EventOf, EventTopic, NameOf, TypesOf } from "./topic.ts";
import { topicsFrom } from "./topic.ts";

/**
 * The table that an enrichment keeps for itself: one row per key, folded from the same input. So what
 * it says at an event is what the records before that event have said, whenever it is asked.
 */
export interface KeptTable<Types extends AnyEventType, C extends Columns> {
  readonly columns: C;
  /** By short name; the other types leave the table as it is. */
  readonly on: {
    readonly [Name in NameOf<Types>]?: Fold<RowOf<C>, EventNamed<Types, Name>>;
  };
}

export interface Enrichment<
  Types extends AnyEventType,
  C extends Columns,
  Fat extends AnyEventType,
> {
  /** Of the processor that it becomes. */
  readonly name: string;
  /** The key of the table's rows: a field that the events have, or a function of them. */
  readonly key: string | ((event: EventOf<Types>) => string | undefined);
  readonly table: KeptTable<Types, C>;
  /** Where the fat events go, and of which type they are. */
  readonly to: { readonly topic: EventTopic<Fat>; readonly type: Fat };
  /**
   * By short name of the thin event: the fat one, made of it and the table's row as it is after it
   * (undefined: there is none). Undefined sends nothing.
   */
  readonly enrich: {
    readonly [Name in NameOf<Types>]?: (
      event: EventNamed<Types, Name>,
      row: RowOf<C> | undefined,
      meta: RecordMeta,
    ) => EventOf<Fat> | undefined;
  };
}

/**
 * Declares a processor that makes fat events of thin ones: each carries what its readers would
 * otherwise have to ask back for. What is added comes from a table that the processor keeps itself,
 * in the transaction that records the fat event, so no other service is called and each thin
 * event is enriched once (the join of a stream with a table, as Kafka Streams has it, within one
 * partition). A run from zero makes the same events under the same ids, which are recorded already.
 *
 * @throws TypeError naming what is wrong.
 */
export function defineEnrichment<
  const From extends EventTopic | readonly EventTopic[],
  const C extends Columns,
  const Fat extends AnyEventType,
>(
  definition: Enrichment<TypesOf<From>, C, Fat> & { readonly from: From },
): EventProcessor<TypesOf<From>, C> {
  const { name, key, table, to, enrich } = definition;
  const types = topicsFrom(definition.from).flatMap(
    ({ events }): readonly AnyEventType[] => events,
  );
  assertNamed(definition.name, types, { ...table.on, ...enrich });
  const folds = table.on as Readonly<Record<string, ErasedTableFold>>;
  const enrichers = enrich as Readonly<Record<string, ErasedEnricher>>;
  const record = recordOf(name, to);
  const reaction = (type: string): ErasedReact | "ignore" => {
    const fold = folds[type];
    const enricher = enrichers[type];
    if (fold === undefined && enricher === undefined) return "ignore";
    return (before: AnyRow | undefined, event, emit, meta) => {
      const row = fold === undefined ? before : fold(before, event, meta);
      const fat = enricher?.(event, row, meta);
      if (fat !== undefined) emit(record(fat));
      return row;
    };
  };
  const on = Object.fromEntries(types.map((type) => [type.name, reaction(type.name)]));
  const processor = { name, from: definition.from, key, state: table.columns, on };
  // The types of each reaction were checked where they were written.
  return defineProcessor(processor as never) as EventProcessor<TypesOf<From>, C>;
}

type ErasedTableFold = (
  row: AnyRow | undefined,
  event: never,
  meta: RecordMeta,
) => AnyRow | undefined;
type ErasedEnricher = (event: never, row: AnyRow | undefined, meta: RecordMeta) => unknown;

/** Nothing can be against it: the thin event is a fact. */
function recordOf(
  name: string,
  { topic, type }: { readonly topic: EventTopic; readonly type: AnyEventType },
): (fat: unknown) => CommandCall {
  return defineCommand({
    name: `record-${name}`,
    reads: () => ({}),
    decide: (fat: unknown) => accept([fact(topic, type, fat)], undefined),
  });
}

function assertNamed(name: string, types: readonly AnyEventType[], named: object): void {
  const known = new Set(types.map((type) => type.name));
  const strange = Object.keys(named).filter((one) => !known.has(one));
  if (strange.length === 0) return;
  throw new TypeError(`${name}: its topics have no ${strange.join(", ")}.`);
}
