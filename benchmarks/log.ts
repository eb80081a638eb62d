import { mkdtemp, rm, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { migrate } from "../connectors/postgres/migrations.ts";
import { makePool } from "../connectors/postgres/pool.ts";
import { migrations, PostgresRecordLog } from "../connectors/postgres/record-log/index.ts";
import { header } from "../engine/envelope.ts";
import { partitionOf } from "../engine/partitioner.ts";
import { offset } from "../engine/position.ts";
import type { PartitionAppend, RecordToAppend } from "../engine/ports/record-log.ts";
import { RecordCursor } from "../engine/record-batch/index.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";

const partitions = 10;
const keys = 2_000;
const valueBytes = 100;

interface Figures {
  readonly recordsPerBatch: number;
  readonly records: number;
  readonly appendedPerSecond: number;
  readonly readPerSecond: number;
}

/** Ten partitions' records, by partition, in the order of their sequences. */
class Source {
  readonly #next = Array.from({ length: partitions }, () => 0);
  readonly #keys = keysByPartition();

  take(partition: number, count: number): RecordToAppend[] {
    return Array.from({ length: count }, () => this.#record(partition));
  }

  #record(partition: number): RecordToAppend {
    const sequence = (this.#next[partition] as number) + 1;
    this.#next[partition] = sequence;
    const own = this.#keys[partition] as readonly Buffer[];
    return {
      timestampMs: 1_700_000_000_000 + sequence,
      key: own[sequence % own.length] as Buffer,
      value: Buffer.alloc(valueBytes, sequence),
      headers: [
        { name: header.sequence, value: Buffer.from(String(sequence)) },
        { name: header.incarnation, value: Buffer.from("b2f6d4c0-7425-1") },
        { name: header.id, value: Buffer.from("0190d6a1-6f3c-7000-8000-000000000000") },
      ],
    };
  }
}

function keysByPartition(): Buffer[][] {
  const byPartition: Buffer[][] = Array.from({ length: partitions }, () => []);
  for (let index = 0; index < keys; index += 1) {
    const key = `MOD-${index}`;
    byPartition[partitionOf(key, partitions)]?.push(Buffer.from(key));
  }
  return byPartition;
}

async function append(
  log: PostgresRecordLog,
  topic: string,
  size: Omit<Figures, "readPerSecond" | "appendedPerSecond">,
): Promise<number> {
  const source = new Source();
  await log.ensureTopic({ name: topic, partitions });
  // Small batches are many to a call, as a capture gathers them; a call is bounded all the same.
  const rounds = Math.ceil(size.records / partitions / size.recordsPerBatch);
  const roundsPerCall = Math.max(1, Math.floor(200 / size.recordsPerBatch));
  const began = performance.now();
  for (let round = 0; round < rounds; round += roundsPerCall) {
    const count = Math.min(roundsPerCall, rounds - round);
    const appends: PartitionAppend[] = [];
    for (let index = 0; index < count * partitions; index += 1) {
      const partition = index % partitions;
      appends.push({ topic, partition, records: source.take(partition, size.recordsPerBatch) });
    }
    await log.append(appends);
  }
  return (rounds * partitions * size.recordsPerBatch) / ((performance.now() - began) / 1_000);
}

/** Reads everything and checks each record's place, time, key and value. */
async function read(
  log: PostgresRecordLog,
  topic: string,
): Promise<{ count: number; seconds: number }> {
  const wanted = new Map(Array.from({ length: partitions }, (_, index) => [index, offset(0)]));
  const cursor = new RecordCursor();
  const next = Array.from({ length: partitions }, () => 0);
  let count = 0;
  const began = performance.now();
  const signal = AbortSignal.timeout(300_000);
  for await (const fetch of log.read({ topic, from: new Map(wanted), until: "end", signal })) {
    for (const { partition, bytes } of fetch.partitions) {
      let expected = next[partition] as number;
      cursor.reset(bytes, expected);
      while (cursor.next()) {
        const sequence = cursor.headerNumber(header.sequence);
        const sound =
          cursor.offset === expected &&
          sequence === expected + 1 &&
          cursor.timestampMs === 1_700_000_000_000 + sequence &&
          cursor.valueEnd - cursor.valueStart === valueBytes &&
          bytes[cursor.valueStart] === (sequence & 0xff);
        if (!sound) throw new Error(`Partition ${partition}, offset ${expected}: a wrong record.`);
        expected += 1;
        count += 1;
      }
      next[partition] = expected;
    }
  }
  return { count, seconds: (performance.now() - began) / 1_000 };
}

async function measure(
  log: PostgresRecordLog,
  size: { recordsPerBatch: number; records: number },
): Promise<Figures> {
  const topic = `bench-${size.recordsPerBatch}`;
  const appendedPerSecond = await append(log, topic, size);
  await read(log, topic);
  const { count, seconds } = await read(log, topic);
  if (count < size.records) throw new Error(`${count} records of ${size.records} came back.`);
  return { ...size, appendedPerSecond, readPerSecond: count / seconds };
}

/** Milliseconds from the call of an append to its record in a waiting reader's hands. */
async function freshness(log: PostgresRecordLog, rounds: number): Promise<number[]> {
  const topic = "bench-live";
  await log.ensureTopic({ name: topic, partitions });
  const from = new Map(Array.from({ length: partitions }, (_, index) => [index, offset(0)]));
  const signal = AbortSignal.timeout(60_000);
  const iterator = log.read({ topic, from, until: "forever", signal })[Symbol.asyncIterator]();
  const source = new Source();
  const delays: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const pulled = iterator.next();
    // The reader is back at its wait before the next append.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const began = performance.now();
    await log.append([{ topic, partition: round % partitions, records: source.take(0, 1) }]);
    const committed = performance.now();
    await pulled;
    delays.push(performance.now() - Math.max(began, committed));
  }
  await iterator.return?.();
  return delays.sort((a, b) => a - b);
}

const { values: options } = parseArgs({
  options: { records: { type: "string", default: "1000000" } },
});
const records = Number(options.records);
const folder = await mkdtemp(join(tmpdir(), "refold-bench-log-"));
await chmod(folder, 0o755);
const server = await startEmbeddedPostgres({ folder });
try {
  const pool = makePool({ url: server.url, name: "bench" });
  await migrate(pool, migrations);
  const log = new PostgresRecordLog({ pool });
  for (const recordsPerBatch of [1, 100, 1_000]) {
    const few = recordsPerBatch === 1 ? Math.min(records, 200_000) : records;
    const figures = await measure(log, { recordsPerBatch, records: few });
    const rounded = (rate: number): string => Math.round(rate).toLocaleString("en");
    console.log(
      `log, ${recordsPerBatch} a batch: append ${rounded(figures.appendedPerSecond)} records/s, ` +
        `read ${rounded(figures.readPerSecond)} records/s (${rounded(few)} records, checked)`,
    );
  }
  const unitedBegan = performance.now();
  const replaced = await log.compact({ ageMinMs: 0, roundsMax: 10_000 });
  const unitedSeconds = (performance.now() - unitedBegan) / 1_000;
  const united = await read(log, "bench-1");
  console.log(
    `log, 1 a batch, then united (${Math.round(replaced / unitedSeconds).toLocaleString("en")} ` +
      `batches/s): read ${Math.round(united.count / united.seconds).toLocaleString("en")} records/s`,
  );
  const delays = await freshness(log, 400);
  const at = (share: number): string => (delays[Math.floor(delays.length * share)] ?? 0).toFixed(2);
  console.log(`log, commit to a waiting reader: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  console.log(`log, peak memory: ${Math.round(process.resourceUsage().maxRSS / 1_024)} MB`);
  await log[Symbol.asyncDispose]();
  await pool.end();
} finally {
  await server.stop("immediate");
  await rm(folder, { recursive: true, force: true });
}
