import type { Pool, PoolClient, QueryConfig } from "pg";

import type { AnyRow } from "../../../engine/columns.ts";
import type {
  ProcessorFlush,
  ProcessorFlushResult,
  ProcessorModel,
  ProcessorStore,
  StateMutation,
} from "../../../engine/ports/processor-store.ts";
import type { OwnedPartition } from "../../../engine/ports/read-model-store.ts";
import { textArray } from "../binary-array.ts";
import { insertDeadLetters, settleDeadLetters } from "../dead-letters/index.ts";
import { appendAllWithin } from "../event-store/append-within.ts";
import {
  assertHeld,
  fence,
  fenceParameterCount,
  fenceParameters,
  lostPartitions,
  type LostPartition,
} from "../positions/fence.ts";
import { allPositions, claimPartitions } from "../positions/positions.ts";
import {
  decodeRow,
  rowParameters,
  selectColumns,
  statementName,
  writeRows,
  type RowTable,
} from "../stored-rows/row-table.ts";
import { allAnswered, inTransaction, runStatement, type Ending } from "../transaction.ts";
import { findStateTable, openProcessor, type StateTable } from "./stored-processor.ts";

/** Processors' states in tables of the schema `refold`, appended events in the event store. */
export class PostgresProcessorStore implements ProcessorStore {
  readonly #pool: Pool;
  /** One for each processor that this process runs. */
  readonly #tables = new Map<string, StateTable>();

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  open(model: ProcessorModel): Promise<void> {
    return openProcessor(this.#pool, model);
  }

  claim(
    processor: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]> {
    return claimPartitions(this.#pool, { consumer: processor, generation: 0 }, partitions);
  }

  async load(processor: string, keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>> {
    const table = await this.#table(processor);
    if (table === undefined) return new Map();
    const text = `select t.key as k, ${selectColumns(table, "t").join(", ")}
      from ${table.sqlName} t where t.key = any($1::text[])`;
    const rows = await runStatement<AnyRow>(this.#pool, {
      doing: `Reading the state of ${processor}`,
      stage: "preparing",
      name: statementName(text),
      text,
      values: [textArray(keys)],
    });
    return new Map(rows.map((row) => [row["k"] as string, decodeRow(table, row)]));
  }

  async flush(flush: ProcessorFlush): Promise<ProcessorFlushResult> {
    const statement = fencedStates(await this.#table(flush.processor), flush);
    const doing = `Flushing the processor ${flush.processor}`;
    if (isOneStatement(flush)) {
      // A transaction of its own: one round trip instead of three.
      const once = { ...statement, doing, stage: "changing" as const };
      assertHeld(flush.processor, await runStatement<LostPartition>(this.#pool, once));
      return { outcome: "committed", verdicts: [] };
    }
    return inTransaction(this.#pool, doing, (client) => flushWithin(client, flush, statement));
  }

  positions(processor: string): Promise<readonly OwnedPartition[]> {
    return allPositions(this.#pool, { consumer: processor, generation: 0 });
  }

  async #table(processor: string): Promise<StateTable> {
    // That one keeps no state is known as well.
    if (this.#tables.has(processor)) return this.#tables.get(processor);
    const table = await findStateTable(this.#pool, processor);
    this.#tables.set(processor, table);
    return table;
  }
}

/**
 * The commit goes out behind the appends, whatever the fence and they are answered: when it isn't to
 * be, the server makes a rollback of it. So nobody waits for this process to look at the answers,
 * while the locks of the appends are held.
 */
async function flushWithin(
  client: PoolClient,
  flush: ProcessorFlush,
  statement: QueryConfig,
): Promise<Ending<ProcessorFlushResult>> {
  const { processor: owner, advances, settlements = [] } = flush;
  const fenced = client.query<LostPartition>(statement);
  fenced.catch(() => undefined);
  await insertDeadLetters(client, flush.deadLetters);
  await settleDeadLetters(client, settlements, { owner, advances });
  const appended = appendAllWithin(client, flush.appends, { as: "processor" });
  const result = allAnswered([fenced, appended]).then(([{ rows }, verdicts]) => {
    assertHeld(owner, rows);
    const isWhole = verdicts.every(({ outcome }) => outcome === "appended");
    return { outcome: isWhole ? "committed" : "conflict", verdicts } as const;
  });
  return { end: "commit", result, undoes: ({ outcome }) => outcome === "conflict" };
}

/** Does it write states and positions, and nothing else? */
const isOneStatement = ({ appends, deadLetters, settlements = [] }: ProcessorFlush): boolean =>
  appends.length + deadLetters.length + settlements.length === 0;

/** The statement that fences, writes states, and moves the positions. */
function fencedStates(table: StateTable, flush: ProcessorFlush) {
  const of = { consumer: flush.processor, generation: 0 };
  const values = fenceParameters(of, flush.advances);
  if (table === undefined) return named(`with ${fence} ${lostPartitions}`, values);
  const when = "(select holds from verdict)";
  const rows = writeRows(table, { first: fenceParameterCount + 1, when });
  const text = `with ${fence}, ${rows} ${lostPartitions}`;
  return named(text, [...values, ...stateParameters(table, flush.states)]);
}

const named = (text: string, values: unknown[]) => ({ name: statementName(text), text, values });

function stateParameters(table: RowTable, states: readonly StateMutation[]): Buffer[] {
  const kept = states.flatMap(({ key, partition, state }) =>
    state === undefined ? [] : [{ key, partition, row: state }],
  );
  const deleted = states.filter(({ state }) => state === undefined).map(({ key }) => key);
  return rowParameters(table, kept, deleted);
}
