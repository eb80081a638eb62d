/**
 * What a catch-up from the embedded log costs as the numbers grow: partitions, keys, projections in
 * one process, and processes that share the partitions. One of them differs from the usual case at a
 * time; every case has a Postgres of its own, and its rows are compared one by one with counts made
 * without the engine.
 */
import { parseArgs } from "node:util";

import { PostgresReadModelStore, PostgresRecordLog } from "../connectors/postgres/index.ts";
import {
  avroCodec,
  PostgresRegistryStore,
  StoredSchemaRegistry,
} from "../connectors/registry/index.ts";
import { assertCaughtUp, catchUp } from "./_catch-up.ts";
import { fillLog } from "./_fill-log.ts";
import { onOwnPostgres } from "./_own-postgres.ts";
import { seatBoardOn, seatTopicOf } from "./_seat-board.ts";
import { SeatEvents } from "./_seat-events.ts";
import { stepsTo } from "./_steps.ts";
import { catchUpByWorkers } from "./_workers.ts";
import { tell, tellChecked, tellRate } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "300000" },
    partitions: { type: "string", default: "100" },
    keys: { type: "string", default: "100000" },
    projections: { type: "string", default: "50" },
    workers: { type: "string", default: "4" },
  },
});
interface Case {
  readonly partitions: number;
  readonly keys: number;
  readonly projections: number;
  /** Processes of their own; "none": this one does it. */
  readonly workers: number | "none";
}

const usual: Case = { partitions: 10, keys: 2_000, projections: 1, workers: "none" };

/** From the usual number, or from one, to the largest that is asked for. */
function cases(): Case[] {
  const steps = (of: keyof Case, numbers: readonly number[]) =>
    numbers.map((number) => ({ ...usual, [of]: number }));
  return [
    usual,
    ...steps("partitions", stepsTo(Number(values.partitions), [1])),
    ...steps("keys", stepsTo(Number(values.keys), [10_000, 100_000, 1_000_000])),
    ...steps("projections", stepsTo(Number(values.projections), [5])),
    ...steps("workers", stepsTo(Number(values.workers), [1, 2])),
  ];
}

interface Measured extends Case {
  /** As many as there are keys at least, so that every key has a row. */
  readonly events: number;
  readonly seconds: number;
  readonly processorUs: number;
}

async function measure(one: Case): Promise<Measured> {
  let measured: Measured | undefined;
  await onOwnPostgres(async ({ url, pool }) => {
    await using log = new PostgresRecordLog({ pool });
    const store = new PostgresRegistryStore({ pool });
    const codec = avroCodec({ registry: new StoredSchemaRegistry({ store }) });
    const topic = seatTopicOf(one.partitions);
    const history = new SeatEvents(codec, { keys: one.keys, topic });
    const events = Math.max(Number(values.events), one.keys);
    await fillLog({ log, codec, history, events, perCall: 2_000 });
    const filled = { pool, log, codec, history };
    const cost = await (one.workers === "none"
      ? catchUp({ ...filled, into: "Postgres", projections: projectionsOf(one) })
      : catchUpByWorkers({ url, events, workers: one.workers, partitions: one.partitions }));
    if (one.workers !== "none") {
      await assertCaughtUp(new PostgresReadModelStore({ pool }), history, projectionsOf(one));
    }
    measured = { ...one, ...cost, events };
  });
  return measured as unknown as Measured;
}

const projectionsOf = ({ partitions, projections }: Case) =>
  Array.from({ length: projections }, (_, at) =>
    seatBoardOn(seatTopicOf(partitions), at === 0 ? "seat-board" : `seat-board-${at}`),
  );

const counted = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? "" : "s"}`;

/** An event that several projections fold counts as often. */
function tellCase(measured: Measured): void {
  const { partitions, keys, projections, workers, events, seconds, processorUs } = measured;
  const count = events * projections;
  const name = [
    counted(partitions, "partition"),
    counted(keys, "key"),
    counted(projections, "projection"),
    ...(workers === "none" ? [] : [counted(workers, "worker")]),
  ].join(", ");
  tellRate({ name, of: "folded events", count, seconds });
  const of = { unit: "µs/folded event", better: "less", role: "measured" } as const;
  tell({ ...of, name: `${name}: processor time of Node`, value: processorUs / count });
}

const measured: Measured[] = [];
// Once unmeasured: the cases are compared with one another, and the first would compile for all.
await measure(usual);
for (const one of cases()) measured.push(await measure(one));
tellChecked("all rows of every case equal counts made without the engine");
for (const one of measured) tellCase(one);
