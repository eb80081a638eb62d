import type { ConsumerHealth } from "../../api/index.ts";
import { Decider } from "../../engine/decision/decider.ts";
import type { EffectPerformer } from "../../engine/effect.ts";
import type { EffectWork } from "../../engine/effects/effect-runner.ts";
import type { SharedByDeciders } from "../../engine/decision/shared.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { Tracer } from "../../engine/ports/tracing.ts";
import { run } from "../../engine/runner/run.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { workedOnByBoard } from "../../engine/rebuild/index.ts";
import { CommandFailure } from "../command-failure.ts";
import { staleAfterMs } from "../status/report.ts";
import { LoopLoad } from "../loop-load.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import type { Definitions } from "./definitions.ts";
import { FrozenAges } from "./frozen-ages.ts";
import { openHistory } from "./history.ts";
import { instanceName } from "./instance.ts";
import { outageBackoff } from "./outages.ts";
import type { Stores } from "./stores.ts";
import { processTracer } from "./tracer.ts";

export interface ConsumersPart {
  readonly definitions: Definitions;
  readonly stores: Stores;
  readonly metrics: Metrics;
  readonly report: (message: string) => void;
  /** How long a batch may wait for more; the engine's default is for people who look on. */
  readonly lingerMs?: number;
  /** Who performs effects here, one for each kind (default: nobody). */
  readonly performers?: readonly EffectPerformer[];
  /** Shared with whoever else decides in this process, so that nothing waits for a look. */
  readonly deciding?: SharedByDeciders;
  /** Default: the process's. */
  readonly tracer?: Tracer;
}

/** The processors and projections at work in this process. */
export interface RunningConsumers extends AsyncDisposable {
  /** Resolves when a part of them has ended that nobody wanted to: never otherwise. */
  readonly failed: Promise<Error>;
  health(): readonly ConsumerHealth[];
  /** Milliseconds since the projection had applied everything; undefined: it never had. */
  ageMs(projection: string): number | undefined;
  /** Has a record been applied here since the start? */
  applied(): boolean;
  /** Has all that the log held been applied here once since the start, of every projection? */
  caughtUp(): boolean;
  /**
   * Is its first partition here? Of the processes that run a projection one has it, and does what
   * is to be done once.
   */
  owns(projection: string): boolean;
}

export async function startConsumers(part: ConsumersPart): Promise<RunningConsumers> {
  const { stores, metrics, report, tracer = processTracer() } = part;
  const { projections, processors, deadlines } = part.definitions;
  const shared = {
    codec: stores.codec,
    clock: systemClock,
    random: new SystemRandom(),
    metrics,
    tracer,
  };
  const runner = await run({
    ...shared,
    load: new LoopLoad(),
    projections,
    processors,
    log: stores.log,
    readModels: stores.readModelStore,
    processorStore: stores.processorStore,
    decider: new Decider({
      ...shared,
      eventStore: stores.eventStore,
      as: "processor",
      ...part.deciding,
    }),
    effects: effectWork(part),
    deadlines: { store: stores.deadlines, eventStore: stores.eventStore, types: deadlines },
    deadLetters: stores.deadLetters,
    assignment: stores.assignment,
    statusBoard: stores.board,
    generations: stores.generations,
    heal: { rows: openHistory(stores, projections).rows, comparisons: stores.comparisons },
    instance: instanceName,
    limits: {
      backoff: outageBackoff,
      ...(part.lingerMs === undefined ? {} : { lingerMs: part.lingerMs }),
    },
  });
  const frozen = new FrozenAges({
    ...stores,
    projections,
    isWorkedOn: workedOnByBoard({ ...stores, clock: systemClock, silentMs: staleAfterMs }),
    clock: systemClock,
    report,
  });
  const known = (consumer: string, ageMs: number): number | undefined =>
    Number.isFinite(ageMs) ? ageMs : frozen.ageMs(consumer);
  return {
    failed: failureOf(runner),
    ageMs: (projection) => known(projection, runner.ageMs(projection)),
    applied: () => runner.applied(),
    caughtUp: () => projections.every(({ name }) => Number.isFinite(runner.ageMs(name))),
    owns: (projection) =>
      runner
        .reports()
        .some(({ consumer, partition }) => consumer === projection && partition === 0),
    health: () =>
      runner.health().map(({ consumer, state, ageMs, reasons, parkedKeys }) => ({
        consumer,
        state,
        ageMs: known(consumer, ageMs),
        parkedKeys,
        reason: reasons.length > 0 ? reasons.join("; ") : undefined,
      })),
    [Symbol.asyncDispose]: async () => {
      await frozen[Symbol.asyncDispose]();
      await runner.stop();
    },
  };
}

/** Effects that are given up are told where the process tells its troubles. */
const effectWork = ({ stores, performers = [], report }: ConsumersPart): EffectWork => ({
  ledger: stores.effectLedger,
  performers,
  onFailed: ({ key }, error) => report(`The effect ${key} was given up: ${error}`),
});

/** What nothing may catch has happened: going on would be wrong, and starting anew is right. */
function failureOf({ finished }: Pick<Runner, "finished">): Promise<Error> {
  return new Promise((resolve) => {
    finished.catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      const next = "Start it again: it goes on from what is durable.";
      resolve(new CommandFailure("failed", `Processing ended: ${text} ${next}`));
    });
  });
}
