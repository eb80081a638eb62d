import type { EventCodec } from "../ports/codec.ts";
import type { DeadLetters, LetterCriteria, StoredDeadLetter } from "../ports/dead-letters.ts";
import type { Generations } from "../ports/generations.ts";
import type { ProcessorStore } from "../ports/processor-store.ts";
import type { OwnedPartition, ReadModelStore } from "../ports/read-model-store.ts";
import type { AnyProcessor } from "../processor.ts";
import type { AnyProjection } from "../projection.ts";
import { type TrialOutcome, tryLetters } from "../task/letter-trial.ts";
import { taskLimits } from "../task/limits.ts";
import { type Pipeline, processorPipeline, projectionPipeline } from "../task/pipeline.ts";
import type { TaskStore } from "../task/batch.ts";

export interface LetterTrialsOptions {
  readonly projections: readonly AnyProjection[];
  readonly processors: readonly AnyProcessor[];
  readonly codec: EventCodec;
  readonly deadLetters: Pick<DeadLetters, "list" | "open">;
  readonly generations: Pick<Generations, "list">;
  readonly readModels: Pick<ReadModelStore, "load" | "positions">;
  readonly processorStore: Pick<ProcessorStore, "load" | "positions">;
}

/** What a redrive would come to. */
export interface LetterTrials {
  /** Letters that were decoded and folded, those that wait behind the chosen ones included. */
  readonly tried: number;
  readonly wouldWork: number;
  /** Each with its fault, in order of id. */
  readonly wouldFail: readonly TrialOutcome[];
  /**
   * Chosen letters that weren't tried: they stand behind one that would fail or isn't chosen, or
   * are of a consumer or version that this code doesn't have.
   */
  readonly untried: number;
  /** There are more than the letters that were chosen. */
  readonly more: boolean;
}

/** One build of a consumer, as a trial needs it. */
interface Build {
  readonly pipeline: Pipeline;
  readonly store: Pick<TaskStore, "load">;
  readonly positions: readonly Omit<OwnedPartition, "epoch">[];
}

/**
 * Tries the first of the failed letters to which the criteria apply, on the definitions of this
 * code, without writing anything.
 *
 * @throws TransientError when a store or the registry can't be asked.
 */
export async function tryRedrive(
  options: LetterTrialsOptions,
  criteria: LetterCriteria,
  lettersMax: number,
): Promise<LetterTrials> {
  const { deadLetters } = options;
  const found = await deadLetters.list({
    ...criteria,
    disposition: "failed",
    limit: lettersMax + 1,
  });
  const chosen = found.slice(0, lettersMax);
  const outcomes: TrialOutcome[] = [];
  for (const letters of byBuild(chosen)) outcomes.push(...(await tryBuild(options, letters)));
  const tried = new Set(outcomes.map(({ letter }) => letter.id));
  const wouldFail = outcomes.filter(({ fault }) => fault !== undefined);
  return {
    tried: outcomes.length,
    wouldWork: outcomes.length - wouldFail.length,
    wouldFail: wouldFail.toSorted((a, b) => (a.letter.id < b.letter.id ? -1 : 1)),
    untried: chosen.filter(({ id }) => !tried.has(id)).length,
    more: found.length > lettersMax,
  };
}

async function tryBuild(
  options: LetterTrialsOptions,
  letters: readonly StoredDeadLetter[],
): Promise<readonly TrialOutcome[]> {
  const [first] = letters;
  const build = first && (await buildOf(options, first));
  if (build === undefined) return [];
  const { positions, ...parts } = build;
  const { deadLetters } = options;
  const positionOf = (of: { readonly topic: string; readonly partition: number }) =>
    positions.find((one) => one.topic === of.topic && one.partition === of.partition)?.position;
  return tryLetters({ ...parts, deadLetters, limits: taskLimits(), positionOf }, letters);
}

async function buildOf(
  options: LetterTrialsOptions,
  { consumer, generation: number }: StoredDeadLetter,
): Promise<Build | undefined> {
  const { codec, processorStore, readModels, generations } = options;
  const limits = taskLimits();
  const processor = options.processors.find(({ name }) => name === consumer);
  if (processor !== undefined) {
    return {
      pipeline: processorPipeline(processor, { codec, limits }),
      store: { load: (keys) => processorStore.load(consumer, keys) },
      positions: await processorStore.positions(consumer),
    };
  }
  const projection = options.projections.find(({ name }) => name === consumer);
  if (projection === undefined) return undefined;
  const generation = (await generations.list(consumer)).find((one) => one.generation === number);
  // Rows of another version have other columns than this code folds.
  if (generation?.version !== projection.version) return undefined;
  return {
    pipeline: projectionPipeline(projection, { codec, limits, generation: number }),
    store: { load: (keys) => readModels.load(generation, keys) },
    positions: await readModels.positions(generation),
  };
}

function byBuild(letters: readonly StoredDeadLetter[]): readonly StoredDeadLetter[][] {
  const builds = new Map<string, StoredDeadLetter[]>();
  for (const letter of letters) {
    const name = `${letter.consumer}/${letter.generation}`;
    const known = builds.get(name);
    if (known === undefined) builds.set(name, [letter]);
    else known.push(letter);
  }
  return [...builds.values()];
}
