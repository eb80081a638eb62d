import type { Pool } from "pg";

import {
  dropCapture,
  PostgresCaptureSink,
  preparePublication,
  takeCapture,
  yieldCapture,
  type HandOverOptions,
} from "../../connectors/capture/index.ts";
import {
  applyConnectors,
  placeAt,
  placeFault,
  prepareSource,
  publishedLsn,
  readSlots,
  removeConnector,
  stopConnector,
  until,
  type ApplyOptions,
  type DebeziumConnector,
} from "../../connectors/debezium/index.ts";
import { lsn, type Lsn } from "../../engine/position.ts";
import { CommandFailure } from "../command-failure.ts";

export interface TakeOverOptions extends ApplyOptions {
  readonly pool: Pool;
  /** The embedded capture, on the same log as the connectors. */
  readonly capture: HandOverOptions["capture"] & {
    readonly slot: string;
    readonly publication: string;
  };
}

/** What was done: the LSN where the other one goes on; `already`: it did before. */
export type TakenOver = { readonly lsn: Lsn } | "already";

/**
 * Lets the connectors go on exactly where the embedded capture is, which ends by it. Broken off at
 * any point, it may be done again.
 *
 * @throws what `yieldCapture` and `applyConnectors` do; TransientError `connector-slow` where the
 * embedded capture doesn't come past the connectors' publications.
 */
export async function takeOverByConnectors(options: TakeOverOptions): Promise<TakenOver> {
  const { connect, connectors, pool, capture } = options;
  const slots = await slotsOf(options);
  if (!slots.has(capture.slot)) {
    const lacking = connectors.filter(({ slot }) => !slots.has(slot));
    if (lacking.length > 0) throw nobodyCaptures("debezium");
    await applyConnectors(options);
    return "already";
  }
  const positions = new PostgresCaptureSink({ pool, slot: capture.slot });
  await untilPublished(options, {
    prepare: () => eachOf(connectors, (connector) => prepareSource(pool, connector)),
    published: async () => (await positions.position())?.completeLsn,
    who: "The embedded capture doesn't come past the connectors' publications: let refold capture run",
  });
  await eachOf(connectors, (connector) => standBy(options, connector));
  const names = connectors.map(({ slot }) => slot);
  const at = await yieldCapture(options, names);
  await eachOf(connectors, (connector) => placeAt(connect, connector, at));
  // From here on the connectors can go on, and the embedded capture can't.
  await dropCapture(options);
  await applyConnectors(options);
  return { lsn: at };
}

/** There, and stopped. */
async function standBy(options: TakeOverOptions, connector: DebeziumConnector): Promise<void> {
  const { connect } = options;
  const { name, config } = connector;
  if ((await connect.config(name)) === undefined) await connect.create(name, config);
  await stopConnector(options, name);
}

/**
 * Lets the embedded capture go on exactly where the connectors are, which are taken away. Broken off
 * at any point, it may be done again.
 *
 * @throws what `takeCapture` does; CommandFailure `refused` where the connectors couldn't go on
 * themselves; TransientError `connector-slow` where they don't come past the capture's publication
 * or don't stop.
 */
export async function takeOverByEmbedded(options: TakeOverOptions): Promise<TakenOver> {
  const { connectors, capture } = options;
  const slots = await slotsOf(options);
  const left = connectors.filter(({ slot }) => slots.has(slot));
  if (left.length === 0 && !slots.has(capture.slot)) throw nobodyCaptures("embedded");
  // Connectors' slots are dropped after the position was taken from them.
  const taken = left.length < connectors.length && slots.has(capture.slot);
  const at = taken ? undefined : await takeFromConnectors(options);
  await eachOf(connectors, (connector) => removeConnector(options, connector));
  return at === undefined ? "already" : { lsn: at };
}

async function takeFromConnectors(options: TakeOverOptions): Promise<Lsn> {
  const { connectors } = options;
  await assertGoingOn(options);
  await untilPublished(options, {
    prepare: () => preparePublication(options),
    published: () => publishedByAll(options),
    who: "The connectors don't come past the embedded capture's publication: let them run",
  });
  await eachOf(connectors, ({ name }) => stopConnector(options, name));
  await assertGoingOn(options);
  const at = lsn(await publishedByAll(options));
  await takeCapture(options, { slot: await earliestSlot(options), lsn: at });
  return at;
}

async function assertGoingOn({ pool, connect, connectors }: TakeOverOptions): Promise<void> {
  for (const connector of connectors) {
    const slot = (await readSlots(pool, [connector.slot])).get(connector.slot);
    const fault = placeFault(slot, await publishedLsn(connect, connector));
    if (fault === undefined) continue;
    throw new CommandFailure(
      "refused",
      `Connector ${connector.name} can't go on itself (${fault}), so nobody can go on in its place. ` +
        "Mend it first: run refold connectors apply with CAPTURE=debezium.",
    );
  }
}

/** What committed before it, each of the connectors has published. */
async function publishedByAll({ connect, connectors }: TakeOverOptions): Promise<number> {
  const published = await Promise.all(connectors.map((one) => publishedLsn(connect, one)));
  return Math.min(...published.map((one) => one ?? 0));
}

/** The slot that still has all that follows what every connector has published. */
async function earliestSlot({ pool, connectors }: TakeOverOptions): Promise<string> {
  const slots = await readSlots(
    pool,
    connectors.map(({ slot }) => slot),
  );
  const [first] = [...slots.values()].sort(
    (one, other) => (one.confirmedLsn ?? 0) - (other.confirmedLsn ?? 0),
  );
  return first?.slot ?? "";
}

interface Preparation {
  /** Makes what the next capture reads by. */
  readonly prepare: () => Promise<unknown>;
  /** How far the capture is that works now. */
  readonly published: () => Promise<bigint | number | undefined>;
  readonly who: string;
}

/**
 * Publications are looked up as they were when a change was written: the next capture begins behind
 * the moment in which its own were there.
 */
async function untilPublished(options: TakeOverOptions, how: Preparation): Promise<void> {
  const before = await publications(options);
  await how.prepare();
  const after = await publications(options);
  if (after.count === before.count) return;
  await until(options, how.who, async () => Number((await how.published()) ?? 0) >= after.walEnd);
}

async function publications({ pool, connectors, capture }: TakeOverOptions) {
  const names = [...connectors.map(({ publication }) => publication), capture.publication];
  const { rows } = await pool.query<{ count: number; wal_end: string }>(
    `select (select count(*)::int from pg_publication where pubname = any($1)) as count,
       (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text as wal_end`,
    [names],
  );
  return { count: rows[0]?.count ?? 0, walEnd: Number(rows[0]?.wal_end ?? 0) };
}

function slotsOf({ pool, connectors, capture }: TakeOverOptions) {
  return readSlots(pool, [capture.slot, ...connectors.map(({ slot }) => slot)]);
}

async function eachOf<One>(all: readonly One[], work: (one: One) => Promise<unknown>) {
  for (const one of all) await work(one);
}

function nobodyCaptures(wanted: "embedded" | "debezium"): CommandFailure {
  const start = wanted === "embedded" ? "refold capture" : "refold connectors apply";
  return new CommandFailure(
    "refused",
    `There is no other capture to take over from: none of its slots is there. Run ${start}.`,
  );
}
