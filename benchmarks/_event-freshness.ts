import { moduleEvents } from "../schemas/topics.ts";
import { Arrivals } from "./_arrivals.ts";
import { type MeasuredInstance, offerModules, queryRows, waitUntil } from "./_instance.ts";
import { processesOf, type Used, usedBy } from "./_processor-use.ts";
import { watchRows } from "./_row-watch.ts";
import { appendSteadily } from "./_steady-events.ts";
import { followUpdates } from "./_update-stream.ts";
import { tell, tellChecked, tellLatencies } from "./harness/tell.ts";

const projection = "seat-availability";

export interface EventFreshness {
  readonly instance: MeasuredInstance;
  readonly modules: number;
  readonly eventsPerSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/**
 * Appends events to the store of a running instance at a steady rate, and tells how long after it was
 * recorded each is in a committed row of the read model, and in an update of the event stream. The
 * recorded time is the database's clock just before the commit. Rows are compared with what was
 * appended before a figure is told.
 *
 * @throws Error when an event isn't there after 30 s, or a row is wrong.
 */
export async function measureEventFreshness(of: EventFreshness): Promise<void> {
  const { instance, modules } = of;
  const codes = await offerModules(instance, { modules, capacity: 1_000_000 });
  const rows = new Arrivals();
  const updates = new Arrivals();
  const { httpUrl, databaseUrl } = instance;
  const stopListening = await followUpdates(httpUrl, updates);
  const ending = new AbortController();
  const generation = await servingGeneration(instance);
  const place = { databaseUrl, projection, generation, topic: moduleEvents.name };
  const watching = watchRows({ ...place, arrivals: rows }, ending.signal);
  const processes = await processesOf(instance);
  const from = usedBy(processes);
  const given = await appendSteadily({ ...of, databaseUrl, codes, rows, updates });
  const events = 2 * [...given.values()].reduce((sum, count) => sum + count, 0);
  await waitUntil("every event is in its row", async () => rows.arrived === events);
  await waitUntil("every event is in an update", async () => updates.arrived === events);
  const to = usedBy(processes);
  ending.abort();
  stopListening();
  await watching;
  await assertSeats(instance, given);
  const measured = rows.sinceRecorded.totalCount;
  tellChecked(
    `the rows of ${given.size} modules equal what was appended; every event was seen in its row and ` +
      `in an update, and ${measured} of them were measured`,
  );
  tellArrivals("row", rows);
  tellArrivals("event stream", updates);
  tellUse("instance", { from, to, events });
  tellUse("Postgres", { from, to, events });
}

/** Warm-up included. */
function tellUse(
  who: "instance" | "Postgres",
  { from, to, events }: { readonly from: Used; readonly to: Used; readonly events: number },
): void {
  const value = ((to.by[who] - from.by[who]) * 1_000_000) / events;
  if (Number.isNaN(value)) return;
  const name = `processor time, ${who}`;
  tell({ name, unit: "µs/event", value, better: "less", role: "measured" });
}

/** Tells since when what has arrived was recorded, and since when it was due. */
export function tellArrivals(where: string, { sinceRecorded, sinceDue }: Arrivals): void {
  tellLatencies({ name: `recorded to ${where}`, histogram: sinceRecorded, unitsPerMs: 1 });
  tellLatencies({ name: `due to ${where}`, histogram: sinceDue, unitsPerMs: 1 });
}

async function servingGeneration(instance: MeasuredInstance): Promise<number> {
  const [row] = await queryRows<{ generation: number }>(
    instance,
    "select generation from refold.serving where projection = $1",
    [projection],
  );
  if (row === undefined) throw new Error(`No generation of ${projection} serves.`);
  return row.generation;
}

async function assertSeats(
  instance: MeasuredInstance,
  given: ReadonlyMap<string, number>,
): Promise<void> {
  const rows = await queryRows<{ code: string; held: number; confirmed: number }>(
    instance,
    `select module_code as code, held, confirmed from read."${projection}"
     where module_code = any($1)`,
    [[...given.keys()]],
  );
  if (rows.length !== given.size) throw new Error(`${rows.length} rows, not ${given.size}.`);
  for (const { code, held, confirmed } of rows) {
    if (held === 0 && confirmed === given.get(code)) continue;
    throw new Error(`${code} has ${held} held and ${confirmed} confirmed, not ${given.get(code)}.`);
  }
}
