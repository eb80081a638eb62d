import type { Decider } from "../decision/decider.ts";
import type { Probe } from "../crash-points.ts";
import type { DeadlineWork } from "../effects/deadline-desk.ts";
import type { EffectWork } from "../effects/effect-runner.ts";
import { deadlineLimits, effectLimits } from "../effects/limits.ts";
import type { Assignment } from "../ports/assignment.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { Generations } from "../ports/generations.ts";
import type { Load } from "../ports/load.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { ProcessorStore } from "../ports/processor-store.ts";
import type { ReadModelStore } from "../ports/read-model-store.ts";
import type { RecordLog } from "../ports/record-log.ts";
import type { StatusBoard } from "../ports/status-board.ts";
import type { Tracer } from "../ports/tracing.ts";
import type { AnyProcessor } from "../processor.ts";
import type { AnyProjection } from "../projection.ts";
import type { TaskLimits } from "../task/limits.ts";
import type { HealSources } from "./heal-desk.ts";

export interface RunOptions {
  readonly projections?: readonly AnyProjection[];
  readonly processors?: readonly AnyProcessor[];
  readonly log: RecordLog;
  readonly readModels: ReadModelStore;
  /** Needed where there are processors, and so is the decider. */
  readonly processorStore?: ProcessorStore;
  readonly decider?: Decider;
  /**
   * Where records are set aside that can't work. Without it they halt their partition, as they do
   * in definitions that say so; a definition that says `park` needs it.
   */
  readonly deadLetters?: DeadLetters;
  readonly assignment: Assignment;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly random: Random;
  /** Of this process, for how long its consumers rest between flushes. Default: none. */
  readonly load?: Load;
  readonly metrics?: Metrics;
  /** Told of the batches that are processed (default: nobody is). The decider has its own. */
  readonly tracer?: Tracer;
  readonly statusBoard?: StatusBoard;
  /** Names this process on the status board. Default: a new id. */
  readonly instance?: string;
  readonly limits?: Partial<TaskLimits>;
  readonly probe?: Probe;
  /** About how many bytes one fetch brings (default 1 MiB). */
  readonly fetchBytesMax?: number;
  /** Fetches that wait for one consumer of a topic (default 4). */
  readonly fetchesMax?: number;
  /** How often ends are polled and tasks reported (default 1,000). */
  readonly observeIntervalMs?: number;
  /** How often it is asked what operators want done with dead letters (default 500). */
  readonly lettersPollMs?: number;
  /** Time after which partitions that an outage or a hole has halted are tried again (default 5,000). */
  readonly recoverAfterMs?: number;
  /**
   * The builds of the projections. With them, this process works on every generation of its
   * definitions' versions that serves or is kept, as that changes, and stands still where it is
   * asked to; a projection of which another version serves waits. Without them, it works on what
   * serves at the start.
   */
  readonly generations?: Generations;
  /** What rows are healed from; needs `generations`. Without it, others heal. */
  readonly heal?: HealSources;
  /**
   * The longest that one hold keeps a consumer still (default 10,000). Whoever holds should ask for
   * less, or it takes for standing what goes on.
   */
  readonly holdMaxMs?: number;
  /** Effects on the outside world that are performed here; needs the decider. */
  readonly effects?: EffectWork;
  /** Deadlines that are waited for here; needs the decider. */
  readonly deadlines?: DeadlineWork;
  /** Times that one flush of a processor is decided again after conflicts (default 8). */
  readonly plansMax?: number;
}

const positiveOptions = [
  "fetchBytesMax",
  "fetchesMax",
  "observeIntervalMs",
  "plansMax",
  "lettersPollMs",
  "recoverAfterMs",
  "holdMaxMs",
] as const;

/** @throws TypeError naming every fault; RangeError for limits of effects or deadlines. */
export function assertRunOptions(options: RunOptions): void {
  const { projections = [], processors = [] } = options;
  const faults: string[] = [];
  const names = [...projections, ...processors].map(({ name }) => name);
  faults.push(...twiceNamed("definitions named", names));
  if (processors.length > 0 && !(options.processorStore && options.decider)) {
    faults.push("processors need processorStore and decider");
  }
  if ((options.effects ?? options.deadlines) && !options.decider) {
    faults.push("effects and deadlines need decider");
  }
  const kinds = options.effects?.performers.map(({ kind }) => kind);
  faults.push(...twiceNamed("performers of", kinds));
  const waitedFor = options.deadlines?.types.map(({ name }) => name);
  faults.push(...twiceNamed("kinds of deadlines named", waitedFor));
  if (options.heal && !options.generations) faults.push("heal needs generations");
  const parks = [...projections, ...processors].some((one) => one.onRecordError === "park");
  if (parks && !options.deadLetters) faults.push("definitions that park need deadLetters");
  for (const name of positiveOptions) {
    const value = options[name];
    if (value !== undefined && !(value >= 1)) faults.push(`${name} must be 1 or more`);
  }
  if (faults.length > 0) throw new TypeError(`run: ${faults.join("; ")}.`);
  effectLimits(options.effects?.limits);
  deadlineLimits(options.deadlines?.limits);
}

function twiceNamed(what: string, names: readonly string[] = []): string[] {
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  return twice.length > 0 ? [`there are two ${what} ${twice.join(", ")}`] : [];
}
