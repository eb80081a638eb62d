/**
 * A rebuild of seat-availability in a running system: 1,000,000 events of history on 2,000 modules,
 * 500 registrations/s and 200 queries/s by HTTP at steady rates, first without a rebuild, then while
 * `refold rebuild` fills, proves and swaps in a process of its own, then while it is undone.
 *
 * Checked before the end: no registration is refused, no query fails or shows fewer seats than one
 * before it, each generation serves when it should, and the rows in the end are an independent count.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import type { RebuildRecord } from "../engine/ports/rebuilds.ts";
import { isEqual } from "../engine/rebuild/index.ts";
import { moduleEvents } from "../schemas/topics.ts";
import { appendRegistrations } from "./_history.ts";
import {
  measuredInstance,
  nobodyPutOff,
  offerModules,
  queryRows,
  refold,
  waitUntil,
} from "./_instance.ts";
import { LagWatch } from "./_lag-watch.ts";
import { processesOf, usedBy, usedText } from "./_processor-use.ts";
import { RebuildWatch } from "./_rebuild-watch.ts";
import { RegistrationLoad } from "./_registration-load.ts";
import { latenciesText, SeatQueries } from "./_seat-queries.ts";
import type { Window } from "./_window.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    registrations: { type: "string", default: "500" },
    queries: { type: "string", default: "200" },
    seconds: { type: "string", default: "15" },
    warm: { type: "string", default: "15" },
    // Of a system that runs already; a new one otherwise.
    data: { type: "string" },
  },
});
const projection = "seat-availability";
const modules = 2_000;
/** Those that students register for now; queries ask for all. */
const modulesNow = 20;
/** Code that isn't compiled, and modules that aren't known yet: before anything is measured. */
const warmUpMs = 8_000;
/** Long enough for the whole history. */
const appliedWithinMs = 600_000;
const target = { eventsPerSecond: 300_000, lagMs: 2_000, ratio: 1.5, holdMs: 200 };

await using instance = await measuredInstance(["--limit", ...nobodyPutOff]);
const { httpUrl } = instance;
const codes = await offerModules(instance, { modules, capacity: 1_000_000 });
const past = await history();
const loads = {
  registrations: new RegistrationLoad({
    httpUrl,
    codes: codes.slice(0, modulesNow),
    perSecond: Number(values.registrations),
  }),
  queries: new SeatQueries({ httpUrl, codes, perSecond: Number(values.queries) }),
  lag: new LagWatch({ projection, topic: moduleEvents.name }),
};
const processes = await processesOf(instance);
await underLoad(measure);
await check();

async function history(): Promise<ReadonlyMap<string, number>> {
  const events = Number(values.events);
  const began = performance.now();
  const given = await appendRegistrations(instance.databaseUrl, codes, events / 2);
  const appendedMs = performance.now() - began;
  await confirmed(events / 2, "registrations", "status = 'completed'");
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
  console.log(
    `history: ${events} events on ${modules} modules, appended in ${seconds(appendedMs)} s, ` +
      `applied after ${seconds(performance.now() - began)} s`,
  );
  return given;
}

/** Waits until so many registrations are shown. */
async function confirmed(registrations: number, table: string, where: string): Promise<void> {
  const deadline = performance.now() + appliedWithinMs;
  const counting = `select count(*)::int4 as rows from read."${table}" where ${where}`;
  for (;;) {
    const [found] = await queryRows<{ rows: number }>(instance, counting);
    if ((found?.rows ?? 0) >= registrations) return;
    if (performance.now() > deadline) throw new Error("The history was not applied in time.");
    await sleep(200);
  }
}

/** Everything runs beside `work`, and the first failure of any ends it. */
async function underLoad(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  const { registrations, queries, lag } = loads;
  const running = Promise.all([
    registrations.run(signal),
    queries.run(signal),
    lag.run(instance.databaseUrl, signal),
  ]);
  const failed = running.then(() => new Promise<never>(() => undefined));
  try {
    await Promise.race([work(signal), failed]);
  } finally {
    stop.abort();
  }
  await running;
}

async function measure(signal: AbortSignal): Promise<void> {
  await sleep(warmUpMs);
  // The first commands of a process read the history of their modules.
  const warming = await during(() => sleep(Number(values.warm) * 1_000));
  tell("warming up", warming, warming);
  const calm = await during(() => sleep(Number(values.seconds) * 1_000));
  tell("without a rebuild", calm, calm);
  await using watch = new RebuildWatch({ databaseUrl: instance.databaseUrl, projection });
  const rebuilt = await during(() => rebuild(watch, signal));
  tell("with a rebuild", rebuilt, calm);
  tellRebuild(rebuilt.result, watch);
  await swapped(rebuilt.result.shadow, rebuilt.result.swapHeldMs);
  const undone = await during(() => undo(watch, rebuilt.result.id, signal));
  tell("with an undo", undone, calm);
  await swapped(rebuilt.result.base, undone.result.swapHeldMs);
}

function tell(what: string, at: During<unknown>, calm: Window): void {
  const { queries, lag } = loads;
  const [now, before] = [queries.latencies(at), queries.latencies(calm)];
  const ratio = now.getValueAtPercentile(99) / before.getValueAtPercentile(99);
  const faults = queries.faults(at);
  console.log(`${what}, ${((at.toMs - at.fromMs) / 1_000).toFixed(1)} s`);
  console.log(
    `  queries: ${now.totalCount}, ${latenciesText(now)}, ${faults.length} failed` +
      (at === calm ? "" : `, p99 ${ratio.toFixed(2)} of it without (target: ${target.ratio})`),
  );
  console.log(`  live lag at most ${lag.maxMs(at)} ms (target: below ${target.lagMs})`);
  console.log(`  ${at.cores}`);
  if (faults.length > 0) throw new Error(`Queries failed: ${faults.slice(0, 5).join("; ")}.`);
}

function tellRebuild({ plan, progress, proof }: RebuildRecord, watch: RebuildWatch): void {
  const filling = watch.atMs.get("filling") ?? Number.NaN;
  const seconds = ((watch.atMs.get("proving") ?? Number.NaN) - filling) / 1_000;
  // What has come since is filled, too.
  const events = plan?.events ?? 0;
  console.log(
    `  fill: ${events} events and what came meanwhile in ${seconds.toFixed(2)} s: ` +
      `${Math.round(events / seconds).toLocaleString("en")} events/s ` +
      `(target: ${target.eventsPerSecond.toLocaleString("en")}), waited for live traffic ` +
      `${Math.round(progress?.throttledMs ?? 0)} ms, lag that it saw at most ` +
      `${Math.round(progress?.liveLagMaxMs ?? 0)} ms`,
  );
  const equal = proof !== undefined && isEqual(proof);
  console.log(
    `  proof: ${proof?.shadowRows} rows, ${equal ? "equal" : "different"}, hold ` +
      `${Math.round(proof?.heldMs ?? Number.NaN)} ms (target: below ${target.holdMs})`,
  );
  if (!equal) throw new Error("The proof found differences.");
}

/** What serves now must be this one. */
async function swapped(generation: number | undefined, heldMs: number | undefined): Promise<void> {
  await sleep(1_000);
  const [found] = await queryRows<{ generation: number; ago_ms: number }>(
    instance,
    `select generation, extract(epoch from clock_timestamp() - since)::float8 * 1000 as ago_ms
     from refold.serving where projection = $1`,
    [projection],
  );
  const atMs = performance.now() - (found?.ago_ms ?? Number.NaN);
  if (found?.generation !== generation) {
    throw new Error(`Generation ${found?.generation} serves instead of ${generation}.`);
  }
  const near = loads.queries.latencies({ fromMs: atMs - 250, toMs: atMs + 250 });
  console.log(
    `  swap: hold ${Math.round(heldMs ?? Number.NaN)} ms (target: below ${target.holdMs}); ` +
      `queries within 250 ms of it: ${near.totalCount}, ${latenciesText(near)}`,
  );
}

interface During<Result> extends Window {
  readonly result: Result;
  readonly cores: string;
}

async function during<Result>(work: () => Promise<Result>): Promise<During<Result>> {
  const from = usedBy(processes);
  const result = await work();
  const to = usedBy(processes);
  await waitUntil("its queries are answered", async () => loads.queries.isAnswered(to.atMs));
  return { fromMs: from.atMs, toMs: to.atMs, cores: usedText(from, to), result };
}

/** From the start of the command until it has ended; followed all the while. */
async function rebuild(watch: RebuildWatch, signal: AbortSignal): Promise<RebuildRecord> {
  const [rebuilt] = await Promise.all([
    watch.until("swapped", signal),
    runToEnd(["rebuild", projection, "--from", "earliest", "--yes"]),
  ]);
  return rebuilt;
}

async function undo(watch: RebuildWatch, id: bigint, signal: AbortSignal) {
  await runToEnd(["rebuild", "undo", String(id), "--reason", "measured"]);
  return watch.until("undone", signal);
}

async function runToEnd(args: readonly string[]): Promise<void> {
  const child = refold(instance, args);
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`refold ${args.join(" ")} ended with ${code}:\n${printed}`);
}

/** Once everything is applied: every module of what serves, against what was accepted. */
async function check(): Promise<void> {
  const { accepted } = loads.registrations;
  const expected = new Map(
    codes.map((code) => [code, (past.get(code) ?? 0) + (accepted.get(code) ?? 0)]),
  );
  await waitUntil("the rows are what was accepted", async () => {
    const rows = await queryRows<SeatsRow>(
      instance,
      `select module_code, held, confirmed from read."${projection}"`,
    );
    return rows.length === codes.length && rows.every((row) => isExpected(row, expected));
  });
  console.log("rows equal an independent count");
}

interface SeatsRow {
  readonly module_code: string;
  readonly held: number;
  readonly confirmed: number;
}

function isExpected(row: SeatsRow, expected: ReadonlyMap<string, number>): boolean {
  return row.held === 0 && row.confirmed === expected.get(row.module_code);
}
