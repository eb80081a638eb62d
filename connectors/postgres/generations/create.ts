import type { Pool, PoolClient } from "pg";

import type { Columns } from "../../../engine/columns.ts";
import {
  snapshotFault,
  snapshotUnfit,
  snapshotUnknown,
} from "../../../engine/generation-faults.ts";
import type { GenerationStart } from "../../../engine/ports/generations.ts";
import type { Generation, ReadModel } from "../../../engine/ports/read-model-store.ts";
import { beginAt, copiedColumns } from "../positions/positions.ts";
import { createIndexes, insertGeneration } from "../read-model-store/stored-generation.ts";
import { generationTable } from "../read-model-store/table-name.ts";
import { takeMakingTurn } from "../read-model-store/turn.ts";
import { snapshotTable } from "../snapshots/snapshot-table.ts";
import { commit, inTransaction } from "../transaction.ts";
import { giveTurn } from "./turns.ts";

export interface NewGeneration {
  readonly model: ReadModel;
  readonly start: GenerationStart;
  readonly rebuild: bigint;
}

/** The indexes come after the rows: made at once, they cost a fraction. */
export function createGenerationFrom(pool: Pool, made: NewGeneration): Promise<Generation> {
  const { model, start, rebuild } = made;
  return inTransaction(pool, `Making a generation of ${model.projection}`, async (client) => {
    await takeMakingTurn(client, model.projection);
    // A copy takes as long as it is large.
    await client.query("set local statement_timeout = 0");
    const generation = await insertGeneration(client, model, { role: "building", rebuild });
    if (start.snapshot !== undefined) await copySnapshot(client, start.snapshot, made, generation);
    else await beginAt(client, consumerOf(generation), start.positions ?? []);
    await createIndexes(client, model, generation.generation);
    await giveTurn(client);
    return commit(generation);
  });
}

const consumerOf = ({ projection, generation }: Generation) => ({
  consumer: projection,
  generation,
});

interface SnapshotRow {
  readonly projection: string;
  readonly version: number;
  readonly columns: Columns;
  readonly refuted: string | null;
}

/** @throws FatalError `snapshot-unknown`, `snapshot-unfit`. */
async function copySnapshot(
  client: PoolClient,
  snapshot: bigint,
  { model }: NewGeneration,
  made: Generation,
): Promise<void> {
  // Its row is locked, so that it isn't removed meanwhile.
  const { rows } = await client.query<SnapshotRow>(
    `select projection, version, columns, refuted from refold.snapshots
     where id = $1 for share`,
    [snapshot],
  );
  const [found] = rows;
  if (found === undefined) throw snapshotUnknown(snapshot);
  const refuted = found.refuted ?? undefined;
  const fault = snapshotFault({ ...found, refuted }, found.columns, model);
  if (fault !== undefined) throw snapshotUnfit(snapshot, model, fault);
  const table = generationTable({ ...model, generation: made.generation });
  const from = snapshotTable({ ...found, id: snapshot });
  const names = ["key", "partition", ...table.columns.map(({ sqlName }) => sqlName)].join(", ");
  await client.query(
    `insert into ${table.sqlName} (${names}) select ${names} from ${from.sqlName} order by key`,
  );
  const of = [made.projection, made.generation, snapshot];
  await client.query(
    `insert into refold.digests (projection, generation, slice, high, low, rows)
     select $1, $2, slice, high, low, rows from refold.snapshot_digests where snapshot = $3`,
    of,
  );
  await client.query(
    `insert into refold.positions (consumer, generation, topic, partition, ${copiedColumns})
     select $1, $2, topic, partition, ${copiedColumns}
     from refold.snapshot_positions where snapshot = $3
     on conflict (consumer, generation, topic, partition) do update
     set (${copiedColumns}) = row (${copiedColumns.replaceAll(/(\w+)/g, "excluded.$1")})`,
    of,
  );
}
