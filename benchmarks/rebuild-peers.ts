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
import type { RecordLog } from "../engine/ports/record-log.ts";
import { CartRebuilds } from "./_cart-rebuilds.ts";
import { fillLog } from "./_fill-log.ts";
import { onOwnPostgres, type OwnPostgres } from "./_own-postgres.ts";
import { assertEqual, fillGeneration } from "./_rebuild.ts";
import { SeatEvents } from "./_seat-events.ts";
import { serverSettings } from "./_server-settings.ts";
import { tell, tellChecked, tellLeftOut, tellNote, tellRate } from "./harness/tell.ts";
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

/** Seconds of one projection's rebuilds. */
interface Rebuilt {
  readonly same: number;
  readonly many: number;
}

type OnLog = OwnPostgres & { readonly log: RecordLog };

const rate = { of: "events" } as const;
const oneProjection = "one projection";
const twoProjections = "two projections";

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
function tellEmmett(name: string, { seconds, leftOut }: EmmettRebuilt): void {
  const of = { ...rate, role: "peer" } as const;
  tellRate({ ...of, name: `Emmett, ${name}`, count: events, seconds });
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
  const name = "Refold, the same events";
  tellRate({ ...rate, name: `${name}, ${oneProjection}`, count: events, seconds: same.one });
  tellRate({ ...rate, name: `${name}, ${twoProjections}`, count: events, seconds: same.two });
  const many = await rebuiltOf(own, "more-carts", more);
  const all = { ...rate, count: more, ceiling: "their log read alone" };
  tellRate({ ...all, name: `Refold, more of them, ${oneProjection}`, seconds: many.one });
  tellRate({ ...all, name: `Refold, more of them, ${twoProjections}`, seconds: many.two });
  const read = { ...rate, name: all.ceiling, count: more, role: "ceiling" } as const;
  tellRate({ ...read, seconds: many.readAlone });
  tellChecked("Refold: every row of every rebuild equals counts made without it");
  return { same: same.one, many: many.one };
}

async function rebuiltOf(own: OnLog, name: string, count: number) {
  const rebuilds = new CartRebuilds(own, { name, events: count });
  await rebuilds.fill();
  const one = await rebuilds.rebuild(1);
  const two = await rebuilds.rebuild(2);
  return { one, two, readAlone: await rebuilds.readAlone() };
}

/** Events of the size that the application has. */
async function ownSize({ pool, log }: OnLog): Promise<void> {
  const registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
  const codec = avroCodec({ registry });
  const history = new SeatEvents(codec);
  await fillLog({ log, codec, history, events: seats, perCall: 2_000 });
  const filled = { log, codec, history };
  const store = new PostgresReadModelStore({ pool });
  const builds = new PostgresGenerations({ pool });
  const began = performance.now();
  const generation = await fillGeneration(filled, { builds, store });
  const seconds = (performance.now() - began) / 1_000;
  await assertEqual(filled, store, [generation]);
  tellRate({ ...rate, name: "Refold, seat events", count: seats, seconds });
}

function tellBeside(theirs: EmmettRebuilt, { same, many }: Rebuilt): void {
  const times = { unit: "times", better: "more", role: "measured" } as const;
  const name = `Refold beside Emmett, ${oneProjection}`;
  tell({ ...times, name: `${name}, the same events`, value: theirs.seconds / same });
  const value = more / many / (events / theirs.seconds);
  tell({ ...times, name: `${name}, each at its own rate`, value });
}

await onOwnPostgres(async (own) => {
  await using log = new PostgresRecordLog({ pool: own.pool });
  tellNote(await serverSettings(own.pool));
  const theirs = await emmett(own);
  const ours = await refold({ ...own, log });
  await ownSize({ ...own, log });
  if (theirs !== undefined) tellBeside(theirs, ours);
});
