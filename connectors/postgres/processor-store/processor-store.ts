import type { Pool, PoolClient } from "pg";

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
import { sendAppends, type SentAppends } from "../event-store/append-within.ts";
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
import { bothAnswered, commit, inTransaction, rollback, runStatement } from "../transaction.ts";
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
    return inTransaction<ProcessorFlushResult>(this.#pool, doing, async (client) => {
      const held = client
        .query<LostPartition>(statement)
        .then(({ rows }) => assertHeld(flush.processor, rows));
      const [, { verdicts, sent }] = await bothAnswered(held, writeBehind(client, flush));
      return verdicts.every(({ outcome }) => outcome === "appended")
        ? commit(sent.then(() => ({ outcome: "committed", verdicts })))
        : rollback({ outcome: "conflict", verdicts });
    });
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

/** Sent behind the fence without waiting for what that says: the caller rolls back what it forbids. */
async function writeBehind(client: PoolClient, flush: ProcessorFlush): Promise<SentAppends> {
  const { processor: owner, advances, settlements = [] } = flush;
  await insertDeadLetters(client, flush.deadLetters);
  await settleDeadLetters(client, settlements, { owner, advances });
  return sendAppends(client, flush.appends, { as: "processor" });
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
