/**
 * Does memory stay flat at full speed? Two processes share the machine: `refold start`, which
 * registers as fast as 50 clients get their answers, and one that catches up with a log of 500,000
 * events again and again. Both tell each second what they hold: resident memory, heap, external
 * memory, handles.
 *
 * What is kept is bounded by counts (50,000 rows of each projection, 20,000 decision models), so the
 * warm-up is one of counts too: 60,000 registrations are there before the first command, and 25,000
 * commands and ten catch-ups have been before what is judged.
 *
 * Judged is the second half, by the trend of the least of each of 24 windows: in the first one the
 * allocator finds its size, in steps that don't come back. What is held grows when the trend's 95 %
 * interval lies above 1 MiB (or 1 handle) a minute as a whole: a process of 400 MiB would take a
 * working day to double, and what is kept of each of thousands of commands a second is far above it.
 *
 * Checked before a figure is told: the read models have every accepted registration and no other,
 * and the rows of every catch-up equal counts made without the engine.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { appendRegistrations } from "./_history.ts";
import { measuredInstance, offerModules } from "./_instance.ts";
import { type Held, held, MemoryCurve, unitOf } from "./_memory-curve.ts";
import type { FromCatchUp } from "./_soak-catch-up.ts";
import { assertRegistered, sampleInstance, SoakLoad } from "./_soak-commands.ts";
import { tell, tellChecked, tellLeftOut, tellRate } from "./harness/tell.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    connections: { type: "string", default: "50" },
    events: { type: "string", default: "500000" },
    history: { type: "string", default: "60000" },
    warmUp: { type: "string", default: "25000" },
  },
  // Also --data, which names an instance that runs already.
  strict: false,
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
/** Commands; catch-ups are fewer. */
const warmUp = { registrations: Number(values.warmUp), rounds: 10 };
/** By minute. */
const growthMax = 1;
/** In less time a heap that finds its size can't be told from a leak. */
const judgedMinutes = 3;

class CatchUps {
  readonly curve = new MemoryCurve();
  events = 0;
  rounds = 0;
  readonly #child = fork(
    fileURLToPath(new URL("_soak-catch-up.ts", import.meta.url)),
    ["--events", String(values.events)],
    { execArgv: ["--disable-warning=ExperimentalWarning"] },
  );
  readonly #ended = once(this.#child, "exit");
  readonly #failed: Promise<never>;

  constructor() {
    this.#failed = this.#ended.then(([code]) => {
      throw new Error(`The catch-ups ended with code ${String(code)}.`);
    });
    this.#failed.catch(() => undefined);
    this.#child.on("message", (message: FromCatchUp) => this.#take(message));
  }

  /** Rejects when they end by themselves; otherwise what `beside` gives. */
  while<Result>(beside: Promise<Result>): Promise<Result> {
    return Promise.race([beside, this.#failed]);
  }

  /** Behind the round that is on its way. */
  async stop(): Promise<void> {
    this.#child.send("stop");
    const [code] = (await this.#ended) as [number | null];
    if (code !== 0) throw new Error(`The catch-ups ended with code ${String(code)}.`);
  }

  #take(message: FromCatchUp): void {
    switch (message.kind) {
      case "sample":
        this.curve.take(message.sample);
        return;
      case "round":
        this.events += message.events;
        this.rounds += 1;
        return;
    }
  }
}

await using instance = await measuredInstance();
const codes = await offerModules(instance, { modules: 100, capacity: 100_000_000 });
const given = await appendRegistrations(instance.databaseUrl, codes, Number(values.history));
const catchUps = new CatchUps();
const commands = new MemoryCurve();
const ending = new AbortController();
const load = new SoakLoad({ instance, codes, connections }, given);
const running = Promise.all([
  load.run(ending.signal),
  sampleInstance(instance, (sample) => commands.take(sample), ending.signal),
]);

const isWarm = (): boolean =>
  load.registrations >= warmUp.registrations && catchUps.rounds >= warmUp.rounds;
const besideAll = (work: Promise<unknown>) => catchUps.while(Promise.race([work, running]));
while (!isWarm()) await besideAll(sleep(100));
const fromMs = Date.now();
const before = { registrations: load.registrations, events: catchUps.events };
await besideAll(sleep(seconds * 1_000));
const registrations = load.registrations - before.registrations;
const events = catchUps.events - before.events;
ending.abort();
await running;
await catchUps.stop();
await assertRegistered(instance, load.accepted);
tellChecked(
  `the read models have the ${load.registrations} accepted registrations, those from before, and no ` +
    `others; the rows of ${catchUps.rounds} catch-ups equal counts made without the engine`,
);
tellRate({ name: "registrations", of: "answers", count: registrations, seconds });
tellRate({ name: "caught up, the compares included", of: "events", count: events, seconds });
const growing = [...tellCurve("server", commands), ...tellCurve("catch-ups", catchUps.curve)];
if (growing.length > 0) throw new Error(`Not flat: ${growing.join("; ")}.`);

/** Gives what grows, as text. */
function tellCurve(name: string, curve: MemoryCurve): string[] {
  console.log(`${name}, the least of each window:\n${curve.text(fromMs)}`);
  const value = curve.largest("resident memory");
  const of = { better: "less", role: "measured" } as const;
  tell({ ...of, name: `${name}, largest resident memory`, unit: "MiB", value });
  return held.flatMap((kind) => tellTrend(name, { curve, kind }));
}

function tellTrend(name: string, { curve, kind }: { curve: MemoryCurve; kind: Held }): string[] {
  const judgedFromMs = fromMs + seconds * 500;
  const trend = seconds < 120 * judgedMinutes ? undefined : curve.trend(kind, judgedFromMs);
  if (trend === undefined) {
    tellLeftOut(`the trend of ${kind}, ${name}: the time after the warm-up is too short`);
    return [];
  }
  const { slope, low, high } = trend;
  const unit = `${unitOf(kind)}/min`;
  tell({ name: `${name}, ${kind}`, unit, value: slope, better: "less", role: "measured" });
  const interval = `${low.toFixed(2)} to ${high.toFixed(2)} ${unit} with 95 % confidence`;
  console.log(`${name}, ${kind}: ${interval}`);
  return low > growthMax ? [`${name}, ${kind}: ${interval}`] : [];
}
