import { migrations as assignment } from "./assignment/migrations.ts";
import { migrations as deadLetters } from "./dead-letters/migrations.ts";
import { migrations as deadlines } from "./deadlines/migrations.ts";
import { migrations as drifts } from "./drifts/migrations.ts";
import { migrations as effectLedger } from "./effect-ledger/migrations.ts";
import { migrations as eventStore } from "./event-store/migrations.ts";
import { migrations as generations } from "./generations/migrations.ts";
import { migrations as idempotencyKeys } from "./idempotency-keys/migrations.ts";
import type { Migration } from "./migrations.ts";
import { migrations as processorStore } from "./processor-store/migrations.ts";
import { migrations as readModelStore } from "./read-model-store/migrations.ts";
import { migrations as rebuilds } from "./rebuilds/migrations.ts";
import { migrations as recordLog } from "./record-log/migrations.ts";
import { migrations as skippedOffsets } from "./skipped-offsets/migrations.ts";
import { migrations as snapshots } from "./snapshots/migrations.ts";
import { migrations as statusBoard } from "./status-board/migrations.ts";

/**
 * All tables of the engine, in their order. Those of connectors beside this one (capture, registry)
 * come from their caller and stand after the record log; an application's own come after all.
 */
export function engineMigrations(
  beside: {
    readonly capture?: readonly Migration[];
    readonly registry?: readonly Migration[];
  } = {},
): readonly Migration[] {
  return [
    ...eventStore,
    ...recordLog,
    ...(beside.capture ?? []),
    ...(beside.registry ?? []),
    ...readModelStore,
    ...processorStore,
    ...deadLetters,
    ...assignment,
    ...statusBoard,
    ...skippedOffsets,
    ...generations,
    ...rebuilds,
    ...snapshots,
    ...drifts,
    ...idempotencyKeys,
    ...effectLedger,
    ...deadlines,
  ];
}
