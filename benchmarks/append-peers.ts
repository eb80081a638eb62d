/**
 * Conditional appends in the shape of event stores' load tests: one writer and ten, one event a call
 * and a hundred, each to a stream of the writer's own at the version that it expects. Event stores
 * from npm and Refold's do it on the same Postgres, one after the other. What is stored is counted
 * before a figure is told.
 */
import { parseArgs } from "node:util";

import { onOwnPostgres, type OwnPostgres } from "./_own-postgres.ts";
import { refoldStreams } from "./_refold-streams.ts";
import { serverSettings } from "./_server-settings.ts";
import { measureStreamAppends, type StreamAppends, type StreamStore } from "./_stream-appends.ts";
import { type Rate, tellChecked, tellLeftOut, tellNote, tellRate } from "./harness/tell.ts";
import { dcbStreams } from "./peers/dcb-event-store/streams.ts";
import { emmettStreams } from "./peers/emmett/streams.ts";
import { PeerMissing } from "./peers/install.ts";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "2000" },
    bytes: { type: "string", default: "200" },
  },
});
const calls = Number(values.calls);
const payload = "x".repeat(Number(values.bytes));

/** So that a call of a hundred events, which takes longer, isn't asked for as often. */
const largeCalls = Math.ceil(calls / 10);

const loads: readonly StreamAppends[] = [
  { writers: 1, calls, eventsOfCall: 1 },
  { writers: 10, calls, eventsOfCall: 1 },
  { writers: 1, calls: largeCalls, eventsOfCall: 100 },
  { writers: 10, calls: largeCalls, eventsOfCall: 100 },
];

interface Store {
  readonly name: string;
  readonly role: NonNullable<Rate["role"]>;
  readonly streams: StreamStore;
}

const peers: readonly (readonly [string, typeof emmettStreams])[] = [
  ["Emmett", emmettStreams],
  ["DCB event store", dcbStreams],
];

/** Those that can be had; they end with the stack. */
async function peersOn(own: OwnPostgres, ends: AsyncDisposableStack): Promise<Store[]> {
  const stores: Store[] = [];
  for (const [name, open] of peers) {
    try {
      const { streams, version } = ends.use(await open(own, payload));
      tellNote(`${name} ${version} from npm`);
      stores.push({ name, role: "peer", streams });
    } catch (error) {
      if (!(error instanceof PeerMissing)) throw error;
      tellLeftOut(error.message);
    }
  }
  return stores;
}

async function measure({ name, role, streams }: Store, load: StreamAppends): Promise<Rate> {
  const { writers, eventsOfCall } = load;
  await measureStreamAppends(streams, { ...load, calls: Math.ceil(load.calls / 10) });
  const seconds = await measureStreamAppends(streams, load);
  const who = writers === 1 ? "1 writer" : `${writers} writers`;
  const what = eventsOfCall === 1 ? "1 event a call" : `${eventsOfCall} events a call`;
  const count = Math.ceil(load.calls / writers) * writers * eventsOfCall;
  return { name: `${who}, ${what}: ${name}`, of: "events", count, seconds, role };
}

await onOwnPostgres(async (own) => {
  await using ends = new AsyncDisposableStack();
  tellNote(await serverSettings(own.pool));
  const ours = refoldStreams(own.pool, Buffer.from(payload));
  const stores: readonly Store[] = [
    { name: "Refold", role: "measured", streams: ours },
    ...(await peersOn(own, ends)),
  ];
  const rates: Rate[] = [];
  // All under one load before the next: what else the machine does changes with time.
  for (const load of loads) {
    for (const store of stores) rates.push(await measure(store, load));
  }
  const names = stores.map(({ name }) => name).join(", ");
  tellChecked(`${names}: every event is stored, no stream was elsewhere than expected`);
  for (const rate of rates) tellRate(rate);
});
