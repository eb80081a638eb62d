/**
 * A rebuild in the shape of Emmett's own benchmark: events of 2 kB, a hundred a stream, appended ten
 * at a time, folded into one row a stream by one projection and by two. Emmett's library from npm and
 * Refold do it on the same events and the same Postgres; Refold then does more of the same, and seat
 * events of its own size. All rows of both are compared with counts made without either.
 */
import { parseArgs } from "node:util";

import {
  PostgresGenerations,
  PostgresReadModelStore,
  PostgresRecordLog,
} from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { Generation } from "../engine/ports/read-model-store.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { CartRebuilds } from "./_cart-rebuilds.ts";
import { type Cost, costOf } from "./_cost.ts";
import { fillLog } from "./_fill-log.ts";
import { onOwnPostgres, type OwnPostgres } from "./_own-postgres.ts";
import { readToEnd } from "./_read-to-end.ts";
import { assertEqual, fillGeneration } from "./_rebuild.ts";
import { SeatEvents } from "./_seat-events.ts";
import { serverSettings } from "./_server-settings.ts";
import { type Rate, tell, tellChecked, tellLeftOut, tellNote, tellRate } from "./harness/tell.ts";
import { type EmmettRebuilt, measureEmmettRebuilds } from "./peers/emmett/measure-rebuilds.ts";
import { PeerMissing } from "./peers/install.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "3000" },
    writers: { type: "string", default: "4" },
    batch: { type: "string", default: "1000" },
    more: { type: "string", default: "100000" },
    seats: { type: "string", default: "1000000" },
  },
});
const events = Number(values.events);
const more = Number(values.more);
const seats = Number(values.seats);
const warmUpEvents = Math.min(300, events);

/** Of one projection's rebuilds. */
interface Rebuilt {
  readonly same: Cost;
  readonly many: Cost;
}

type OnLog = OwnPostgres & { readonly log: RecordLog };

const oneProjection = "one projection";
const twoProjections = "two projections";

interface Rebuild extends Pick<Rate, "name" | "role" | "ceiling"> {
  readonly events: number;
  readonly cost: Cost;
}

/** The rate, and the processor time of Node and Postgres: that holds on a busy machine too. */
function tellRebuild({ events, cost, ...of }: Rebuild): void {
  const { name, role = "measured" } = of;
  tellRate({ ...of, of: "events", count: events, seconds: cost.seconds });
  const value = processorUs(cost, events);
  if (value === undefined) return;
  const each = { unit: "µs/event", better: "less", role } as const;
  tell({ ...each, name: `${name}, processor time of Node and Postgres`, value });
}

/** Of an event; undefined where the server's can't be told. */
const processorUs = (cost: Cost, events: number): number | undefined =>
  cost.postgresSeconds === undefined
    ? undefined
    : ((cost.nodeSeconds + cost.postgresSeconds) * 1_000_000) / events;

async function emmett(own: OwnPostgres): Promise<EmmettRebuilt | undefined> {
  const load = {
    events,
    warmUpEvents,
    writers: Number(values.writers),
    batch: Number(values.batch),
  };
  try {
    const { version, one, two } = await measureEmmettRebuilds(own, load);
    tellNote(`Emmett is @event-driven-io/emmett-postgresql ${version} from npm`);
    tellEmmett(oneProjection, one);
    tellEmmett(twoProjections, two);
    return one;
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error;
    tellLeftOut(error.message);
    return undefined;
  }
}

/** What it leaves out isn't held against its speed: the figure is of the events that there are. */
function tellEmmett(name: string, { cost, leftOut }: EmmettRebuilt): void {
  tellRebuild({ name: `Emmett, ${name}`, events, cost, role: "peer" });
  const left = { name: `Emmett, ${name}: left out`, unit: "events", better: "less" } as const;
  tell({ ...left, value: leftOut.events, role: "peer" });
  const rows =
    leftOut.rows === 0
      ? "every row equals counts made without it"
      : `${leftOut.rows} rows lack events that were appended; the others equal the counts`;
  tellChecked(`Emmett, ${name}: ${rows}`);
}

/** The same events, and the many more that it takes to tell how fast it is. */
async function refold(own: OnLog): Promise<Rebuilt> {
  await rebuiltOf(own, "warm-up", warmUpEvents);
  const same = await rebuiltOf(own, "carts", events);
  tellRefold("the same events", events, same);
  const many = await rebuiltOf(own, "more-carts", more);
  tellRefold("more of them", more, many);
  tellChecked("Refold: every row of every rebuild equals counts made without it");
  return { same: same.one, many: many.one };
}

function tellRefold(
  what: string,
  count: number,
  { one, two, readAlone }: Awaited<ReturnType<typeof rebuiltOf>>,
): void {
  const of = { events: count, ceiling: `${what}, their log read alone` };
  tellRebuild({ ...of, name: `Refold, ${what}, ${oneProjection}`, cost: one });
  tellRebuild({ ...of, name: `Refold, ${what}, ${twoProjections}`, cost: two });
  tellReadAlone(of.ceiling, count, readAlone);
}

const tellReadAlone = (name: string, count: number, seconds: number): void =>
  tellRate({ name, of: "events", count, seconds, role: "ceiling" });

async function rebuiltOf(own: OnLog, name: string, count: number) {
  const rebuilds = new CartRebuilds(own, { name, events: count });
  await rebuilds.fill();
  const one = await rebuilds.rebuild(1);
  const two = await rebuilds.rebuild(2);
  return { one, two, readAlone: await rebuilds.readAlone() };
}

/** Events of the size that the application has. */
async function ownSize({ pool, pid, log }: OnLog): Promise<void> {
  const registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
  const codec = avroCodec({ registry });
  const history = new SeatEvents(codec);
  await fillLog({ log, codec, history, events: seats, perCall: 2_000 });
  const filled = { log, codec, history };
  const store = new PostgresReadModelStore({ pool });
  const builds = new PostgresGenerations({ pool });
  const generations: Generation[] = [];
  const cost = await costOf(pid, async () => {
    generations.push(await fillGeneration(filled, { builds, store }));
  });
  await assertEqual(filled, store, generations);
  const ceiling = "seat events, their log read alone";
  tellRebuild({ name: "Refold, seat events", events: seats, cost, ceiling });
  tellReadAlone(ceiling, seats, await readToEnd(log, seats));
}

function tellBeside(theirs: EmmettRebuilt, { same, many }: Rebuilt): void {
  const times = { unit: "times", better: "more", role: "measured" } as const;
  const name = `Refold beside Emmett, ${oneProjection}`;
  const value = theirs.cost.seconds / same.seconds;
  tell({ ...times, name: `${name}, the same events`, value });
  const rates = more / many.seconds / (events / theirs.cost.seconds);
  tell({ ...times, name: `${name}, each at its own rate`, value: rates });
  const [ours, peers] = [processorUs(many, more), processorUs(theirs.cost, events)];
  if (ours === undefined || peers === undefined) return;
  tell({ ...times, name: `${name}, processor time of an event`, value: peers / ours });
}

await onOwnPostgres(async (own) => {
  await using log = new PostgresRecordLog({ pool: own.pool });
  tellNote(await serverSettings(own.pool));
  const theirs = await emmett(own);
  const ours = await refold({ ...own, log });
  await ownSize({ ...own, log });
  if (theirs !== undefined) tellBeside(theirs, ours);
});
