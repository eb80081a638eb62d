/** One of several processes that share the partitions of a topic of seat events, for _workers.ts. */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";

import {
  makePool,
  PostgresAssignment,
  PostgresReadModelStore,
  PostgresRecordLog,
} from "../connectors/postgres/index.ts";
import {
  avroCodec,
  PostgresRegistryStore,
  StoredSchemaRegistry,
} from "../connectors/registry/index.ts";
import { run } from "../engine/runner/run.ts";
import { clock } from "./_catch-up.ts";
import { gated } from "./_gated-log.ts";
import { seatBoardOf } from "./_seat-board.ts";
import type { FromWorker, ToWorker } from "./_worker-messages.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "" },
    partitions: { type: "string", default: "10" },
  },
});

const open = Promise.withResolvers<void>();
const stop = new AbortController();
let cpu = process.cpuUsage();
process.on("message", (message: ToWorker) => {
  if (message === "stop") return stop.abort();
  cpu = process.cpuUsage();
  open.resolve();
});
// Nobody is left to work for, unless it has been told to stop.
process.on("disconnect", () => process.exit(stop.signal.aborted ? 0 : 1));

const say = (message: FromWorker): void => void process.send?.(message);

const pool = makePool({ url: values.url, name: "benchmark worker" });
const log = new PostgresRecordLog({ pool });
const runner = await run({
  projections: [seatBoardOf(Number(values.partitions))],
  log: gated(log, open.promise),
  readModels: new PostgresReadModelStore({ pool }),
  assignment: new PostgresAssignment({ pool }),
  codec: avroCodec({
    registry: new StoredSchemaRegistry({ store: new PostgresRegistryStore({ pool }) }),
  }),
  clock,
  random: { next: () => Math.random(), id: () => randomUUID() },
});
while (!stop.signal.aborted) {
  const reports = runner.reports();
  const halted = reports.find(({ reason }) => reason !== undefined);
  if (halted) say({ kind: "halted", reason: halted.reason ?? "" });
  const offsets = reports.map(
    ({ partition, nextOffset }) => [partition, Number(nextOffset)] as const,
  );
  say({ kind: "at", offsets });
  await wait(10, undefined, { signal: stop.signal }).catch(() => undefined);
}
const { user, system } = process.cpuUsage(cpu);
await runner.stop();
await log[Symbol.asyncDispose]();
await pool.end();
say({ kind: "used", processorUs: user + system });
process.disconnect();
