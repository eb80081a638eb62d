/**
 * What a catch-up from the embedded log costs as the numbers grow: partitions, keys, projections in
 * one process. One of them differs from the usual case at a time; every case has a Postgres of its
 * own, and its rows are compared one by one with counts made without the engine.
 */
import { parseArgs } from "node:util";

import { PostgresRecordLog } from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import { moduleEvents } from "../schemas/topics.ts";
import { catchUp } from "./_catch-up.ts";
import { fillLog } from "./_fill-log.ts";
import { onOwnPostgres } from "./_own-postgres.ts";
import { seatBoardOn } from "./_seat-board.ts";
import { SeatEvents } from "./_seat-events.ts";
import { tell, tellChecked, tellRate } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "300000" },
    partitions: { type: "string", default: "100" },
    keys: { type: "string", default: "100000" },
    projections: { type: "string", default: "50" },
  },
});
const events = Number(values.events);

interface Case {
  readonly partitions: number;
  readonly keys: number;
  readonly projections: number;
}

const usual: Case = { partitions: 10, keys: 2_000, projections: 1 };

/** From the usual number, or from one, to the largest that is asked for. */
function cases(): Case[] {
  const one = (of: keyof Case, ...numbers: readonly number[]) =>
    numbers.map((number) => ({ ...usual, [of]: number }));
  return [
    usual,
    ...one("partitions", 1, Number(values.partitions)),
    ...one("keys", Number(values.keys)),
    ...one("projections", 5, Number(values.projections)),
  ];
}

interface Measured extends Case {
  readonly seconds: number;
  readonly processorUs: number;
}

async function measure(one: Case): Promise<Measured> {
  // A typed literal in the application, of which only the number differs here.
  const topic = { ...moduleEvents, partitions: one.partitions } as unknown as typeof moduleEvents;
  const projections = Array.from({ length: one.projections }, (_, at) =>
    seatBoardOn(topic, at === 0 ? "seat-board" : `seat-board-${at}`),
  );
  let measured: Measured | undefined;
  await onOwnPostgres(async ({ pool }) => {
    await using log = new PostgresRecordLog({ pool });
    const registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
    const codec = avroCodec({ registry });
    const history = new SeatEvents(codec, { keys: one.keys, topic });
    await fillLog({ log, codec, history, events, perCall: 2_000 });
    const on = { pool, log, codec, history, into: "Postgres", projections } as const;
    measured = { ...one, ...(await catchUp(on)) };
  });
  return measured as unknown as Measured;
}

/** An event that several projections fold counts as often. */
function tellCase({ partitions, keys, projections, seconds, processorUs }: Measured): void {
  const count = events * projections;
  const name = `${partitions} partitions, ${keys} keys, ${projections} projections`;
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
