import { RecordError } from "../errors.ts";
import type { KnownSaga, SagaState, StepTry } from "./state.ts";

/** What a step may go by: pure data, the same whenever it is asked. */
export interface SagaProgress<Input = unknown, Data = unknown> {
  readonly id: string;
  readonly input: Input;
  /** From 1. */
  readonly attempt: number;
  /** Steps that count as done in this attempt, with what was kept of each. */
  readonly done: ReadonlyMap<string, Data | undefined>;
}

/** As much of a step's definition as decides when it is done and undone. */
export interface PlannedStep<Input, Data> {
  readonly name: string;
  /** One step for each subject, side by side, named `<name>/<subject>`. Left out: one step. */
  readonly each?: ((saga: SagaProgress<Input, Data>) => readonly string[]) | undefined;
  /** Is it needed at all? Asked when its stage begins; left out: always. */
  readonly when?: ((saga: SagaProgress<Input, Data>) => boolean) | undefined;
  /** Left out: what it did stays, and a resubmission doesn't do it again. */
  readonly undo?: unknown;
}

export interface SagaPlan<Input, Data> {
  /** One after the other; the steps of one stage side by side. */
  readonly stages: readonly (readonly PlannedStep<Input, Data>[])[];
  /** How many steps a saga may have. */
  readonly stepsMax: number;
}

export type SagaAction<Data = unknown> =
  | { readonly kind: "do"; readonly step: string }
  | { readonly kind: "undo"; readonly tried: StepTry<Data> }
  | { readonly kind: "complete" }
  | { readonly kind: "reverse"; readonly reason: string };

/**
 * What is to be done now, all of it at once possible. Pure. Nothing: the saga waits for a report, or
 * has ended.
 *
 * A failed attempt is undone in the reverse order of its completions, each when the one after it is
 * undone, and once no step of it is under way any more. A step whose success was reported late is
 * undone whenever that is, also when the saga has gone on to another attempt.
 *
 * @throws RecordError `saga-step-unknown`, `saga-too-long`.
 */
export function decideSaga<Input, Data>(
  plan: SagaPlan<Input, Data>,
  saga: SagaState<Input, Data>,
): readonly SagaAction<Data>[] {
  if (!saga) return [];
  return [...undoing(plan, saga), ...going(plan, saga)];
}

/** Attempts have nothing to do with each other here: none waits for another's undoing. */
function undoing<Input, Data>(
  plan: SagaPlan<Input, Data>,
  saga: KnownSaga<Input, Data>,
): readonly SagaAction<Data>[] {
  const waiting = saga.tries.filter(({ state }) => state === "compensating");
  const busy = new Set(waiting.map(({ attempt }) => attempt));
  const attempts = Map.groupBy(triesToUndo(plan, saga), ({ attempt }) => attempt);
  return [...attempts].flatMap(([attempt, [last]]) =>
    last && !busy.has(attempt) ? [{ kind: "undo", tried: last }] : [],
  );
}

/** All that is to be undone by and by, what was done last first. */
export const triesToUndo = <Input, Data>(
  plan: SagaPlan<Input, Data>,
  saga: KnownSaga<Input, Data>,
): readonly StepTry<Data>[] =>
  saga.tries
    .filter((one) => one.state === "done" && isVoid(saga, one) && hasUndo(plan, one))
    .sort((one, other) => other.doneAs - one.doneAs);

/** Of an attempt that has failed, and that nothing more can be added to. */
function isVoid<Input, Data>(saga: KnownSaga<Input, Data>, { attempt }: StepTry<Data>): boolean {
  if (attempt < saga.attempt) return true;
  if (saga.status === "reversed") return true;
  return saga.status === "compensating" && !triesNow(saga).some(({ state }) => state === "started");
}

const triesNow = <Data>({ tries, attempt }: KnownSaga<unknown, Data>): StepTry<Data>[] =>
  tries.filter((one) => one.attempt === attempt);

function hasUndo<Input, Data>(plan: SagaPlan<Input, Data>, { step }: StepTry<Data>): boolean {
  return stepNamed(plan, step).undo !== undefined;
}

function going<Input, Data>(
  plan: SagaPlan<Input, Data>,
  saga: KnownSaga<Input, Data>,
): readonly SagaAction<Data>[] {
  if (saga.status === "running") return forward(plan, saga);
  if (saga.status !== "compensating" || !saga.failure) return [];
  const open = triesNow(saga).some(
    (one) =>
      one.state === "started" ||
      one.state === "compensating" ||
      (one.state === "done" && hasUndo(plan, one)),
  );
  return open ? [] : [{ kind: "reverse", reason: saga.failure.reason }];
}

function forward<Input, Data>(
  plan: SagaPlan<Input, Data>,
  saga: KnownSaga<Input, Data>,
): readonly SagaAction<Data>[] {
  const progress = progressOf(plan, saga);
  const begun = new Set(triesNow(saga).map(({ step }) => step));
  let steps = 0;
  for (const stage of plan.stages) {
    const names = stage.flatMap((step) => namesOf(step, progress));
    steps += names.length;
    if (steps > plan.stepsMax) throw tooLong(saga, plan);
    const missing = names.filter((name) => !progress.done.has(name));
    if (missing.length === 0) continue;
    return missing.filter((name) => !begun.has(name)).map((step) => ({ kind: "do", step }));
  }
  return [{ kind: "complete" }];
}

function namesOf<Input, Data>(
  { name, each, when }: PlannedStep<Input, Data>,
  progress: SagaProgress<Input, Data>,
): readonly string[] {
  if (when && !when(progress)) return [];
  return each ? [...new Set(each(progress))].map((subject) => `${name}/${subject}`) : [name];
}

/** How far a saga has come: for what its steps are asked. */
export function progressOf<Input, Data>(
  plan: SagaPlan<Input, Data>,
  saga: KnownSaga<Input, Data>,
): SagaProgress<Input, Data> {
  const { id, input, attempt, tries } = saga;
  const counting = tries.filter(
    (one) => one.state === "done" && (one.attempt === attempt || !hasUndo(plan, one)),
  );
  return { id, input, attempt, done: new Map(counting.map(({ step, data }) => [step, data])) };
}

/** The definition of a step by its full name. */
export function stepNamed<Step extends { readonly name: string }>(
  plan: { readonly stages: readonly (readonly Step[])[] },
  step: string,
): Step {
  const name = step.split("/", 1)[0];
  const found = plan.stages.flat().find((one) => one.name === name);
  if (found) return found;
  throw new RecordError(
    "saga-step-unknown",
    `A saga has the step ${step}, and its definition none named ${name}: the definition was ` +
      "changed while the saga was under way. Bring the step back, and redrive the record.",
  );
}

/** What a step of the form `<name>/<subject>` is about; "" where there is none. */
export const subjectOf = (step: string): string =>
  step.includes("/") ? step.slice(step.indexOf("/") + 1) : "";

const tooLong = (saga: KnownSaga, { stepsMax }: { readonly stepsMax: number }): RecordError =>
  new RecordError(
    "saga-too-long",
    `Saga ${saga.id} has more than ${stepsMax} steps: its input names too many subjects, or ` +
      "stepsMax of its definition is too low.",
  );
