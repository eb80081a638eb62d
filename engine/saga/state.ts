import type { SagaFact, StepFailed, TryOfStep } from "./facts.ts";

/** One try of a step. */
export interface StepTry<Data = unknown> extends TryOfStep {
  readonly state: "started" | "done" | "failed" | "compensating" | "compensated";
  readonly data: Data | undefined;
  readonly dueAtMs: number | undefined;
  /** Its place in the order of completions; 0: it has none. */
  readonly doneAs: number;
}

export interface KnownSaga<Input = unknown, Data = unknown> {
  readonly id: string;
  readonly input: Input;
  readonly status: "running" | "compensating" | "completed" | "reversed";
  readonly attempt: number;
  /** Why this attempt is compensated, or was. */
  readonly failure: Omit<StepFailed, "kind"> | undefined;
  /** In the order in which they began, those of all attempts. */
  readonly tries: readonly StepTry<Data>[];
  /** Completions until now. */
  readonly completions: number;
}

/** undefined: it was never started. */
export type SagaState<Input = unknown, Data = unknown> = KnownSaga<Input, Data> | undefined;

/** The saga after a fact. Pure; facts that say nothing new leave it as it is. */
export function evolveSaga<Input, Data>(
  saga: SagaState<Input, Data>,
  fact: SagaFact<Input, Data>,
): SagaState<Input, Data> {
  if (fact.kind === "started") return saga ?? begun(fact.id, fact.input);
  return saga && evolved(saga, fact);
}

const begun = <Input>(id: string, input: Input): KnownSaga<Input, never> => ({
  id,
  input,
  status: "running",
  attempt: 1,
  failure: undefined,
  tries: [],
  completions: 0,
});

function evolved<Input, Data>(
  saga: KnownSaga<Input, Data>,
  fact: Exclude<SagaFact<Input, Data>, { kind: "started" }>,
): KnownSaga<Input, Data> {
  switch (fact.kind) {
    case "stepStarted":
      return withTry(saga, fact, { state: "started", data: fact.data, dueAtMs: fact.dueAtMs });
    case "stepDone": {
      const completions = saga.completions + 1;
      const done = { state: "done", data: fact.data, doneAs: completions } as const;
      return { ...withTry(saga, fact, done), completions };
    }
    case "stepFailed":
      return failed(withTry(saga, fact, { state: "failed" }), fact);
    case "stepCompensating":
      return withTry(saga, fact, { state: "compensating" });
    case "stepCompensated":
      return withTry(saga, fact, { state: "compensated" });
    case "completed":
      return { ...saga, status: "completed" };
    case "reversed":
      return { ...saga, status: "reversed" };
    case "resubmitted":
      return { ...saga, status: "running", attempt: fact.attempt, failure: undefined };
    default:
      return fact satisfies never;
  }
}

/** The first failure of the attempt at hand is the one that turns it round. */
function failed<Input, Data>(
  saga: KnownSaga<Input, Data>,
  { step, attempt, reason, detail }: StepFailed,
): KnownSaga<Input, Data> {
  if (saga.status !== "running" || saga.attempt !== attempt) return saga;
  return { ...saga, status: "compensating", failure: { step, attempt, reason, detail } };
}

export const sameTry = (one: TryOfStep, other: TryOfStep): boolean =>
  one.step === other.step && one.attempt === other.attempt;

function withTry<Input, Data>(
  saga: KnownSaga<Input, Data>,
  { step, attempt }: TryOfStep,
  change: Partial<StepTry<Data>>,
): KnownSaga<Input, Data> {
  const at = saga.tries.findIndex((one) => sameTry(one, { step, attempt }));
  const known: StepTry<Data> = saga.tries[at] ?? {
    step,
    attempt,
    state: "started",
    data: undefined,
    dueAtMs: undefined,
    doneAs: 0,
  };
  const changed = { ...known, ...change };
  const tries = at < 0 ? [...saga.tries, changed] : saga.tries.with(at, changed);
  return { ...saga, tries };
}
