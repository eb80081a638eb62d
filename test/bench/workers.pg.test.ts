import { expect, it, onTestFinished } from "vitest";

import { assertCaughtUp } from "../../benchmarks/_catch-up.ts";
import { fillLog } from "../../benchmarks/_fill-log.ts";
import { seatBoardOf, seatTopicOf } from "../../benchmarks/_seat-board.ts";
import { SeatEvents } from "../../benchmarks/_seat-events.ts";
import { catchUpByWorkers } from "../../benchmarks/_workers.ts";
import {
  engineMigrations,
  makePool,
  migrate,
  PostgresReadModelStore,
  PostgresRecordLog,
} from "../../connectors/postgres/index.ts";
import {
  avroCodec,
  migrations as registry,
  PostgresRegistryStore,
  StoredSchemaRegistry,
} from "../../connectors/registry/index.ts";
import { databaseOfTest } from "../support/database.ts";

const partitions = 3;
const events = 2_000;

async function filled() {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "test", connectionsMax: 4 });
  onTestFinished(() => pool.end());
  await migrate(pool, engineMigrations({ registry }));
  const log = new PostgresRecordLog({ pool });
  onTestFinished(() => log[Symbol.asyncDispose]());
  const store = new PostgresRegistryStore({ pool });
  const codec = avroCodec({ registry: new StoredSchemaRegistry({ store }) });
  const history = new SeatEvents(codec, { keys: 50, topic: seatTopicOf(partitions) });
  await fillLog({ log, codec, history, events, perCall: 500 });
  return { url, pool, history };
}

it("lets processes share the partitions, and ends when all events are folded", async () => {
  const { url, pool, history } = await filled();
  const { seconds, processorUs } = await catchUpByWorkers({ url, workers: 2, partitions, events });
  expect(seconds).toBeGreaterThan(0);
  expect(processorUs).toBeGreaterThan(0);
  const readModels = new PostgresReadModelStore({ pool });
  await assertCaughtUp(readModels, history, [seatBoardOf(partitions)]);
  history.expected.set("MOD-0", { capacity: 1, held: 0, confirmed: 0 });
  await expect(assertCaughtUp(readModels, history, [seatBoardOf(partitions)])).rejects.toThrow(
    "MOD-0: capacity is 100000 instead of 1.",
  );
});

it("fails with the worker's exit code when one ends early", async () => {
  const nowhere = "postgres://nobody@127.0.0.1:1/none";
  await expect(catchUpByWorkers({ url: nowhere, workers: 1, partitions, events })).rejects.toThrow(
    "A worker ended with exit code 1.",
  );
});
