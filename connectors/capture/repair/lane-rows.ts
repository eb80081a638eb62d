import type { ClientBase } from "pg";

import type { PartitionAppend } from "../../../engine/ports/record-log.ts";
import { encodeTuple, Tuple } from "../pgoutput/tuple.ts";
import { OutboxRoute } from "../routing/outbox-route.ts";
import { PublishBatch } from "../routing/publish-batch.ts";
import { columnNames, selectColumns, textRows } from "../server/text-rows.ts";

/** Rows of one lane in an outbox table, both sequences included. */
export interface LaneRange {
  readonly table: string;
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** The rows as the records that the stream would make of them, in the lane's order. */
export async function* laneRecords(
  client: ClientBase,
  range: LaneRange,
  pageRows: number,
): AsyncGenerator<PartitionAppend[]> {
  const columns = await columnNames(client, range.table);
  const route = new OutboxRoute(range.table, columns);
  const tuple = new Tuple();
  const batch = new PublishBatch();
  const transaction = outsideOfTransactions();
  const text =
    `${selectColumns(range.table, columns)} where topic = $1 and partition = $2 ` +
    `and sequence between $3 and $4 order by sequence`;
  for (let from = range.from; from <= range.to; from += pageRows) {
    const to = Math.min(range.to, from + pageRows - 1);
    const values = [range.topic, range.partition, from, to];
    for (const row of await textRows(client, { text, values })) {
      tuple.read(encodeTuple(row), 0);
      const placed = { change: { kind: "insert", row: tuple } as const, lsn: 0, transaction };
      route.route(placed, (topic, partition, record) => batch.add(topic, partition, record));
    }
    if (batch.records > 0) yield batch.take();
  }
}

/** Records of an outbox tell nothing of the transaction that wrote them. */
function outsideOfTransactions() {
  return {
    transactionId: 0,
    commitTimeUs: 0,
    previousCommitLsn: 0,
    origin: undefined,
    totalOrder: 0,
    tableOrder: new Map<string, number>(),
  };
}
