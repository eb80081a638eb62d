/**
 * What can happen to a saga, whatever its domain calls it. `Input` is what it was started with,
 * `Data` what it keeps of a step for later ones and for undoing it.
 */
export type SagaFact<Input = unknown, Data = unknown> =
  | SagaStarted<Input>
  | StepStarted<Data>
  | StepDone<Data>
  | StepFailed
  | StepCompensating
  | StepCompensated
  | SagaCompleted
  | SagaReversed
  | SagaResubmitted;

export interface SagaStarted<Input> {
  readonly kind: "started";
  readonly id: string;
  readonly input: Input;
}

/** Which try of which step. */
export interface TryOfStep {
  /** `<name>` or `<name>/<subject>`, unique in the saga. */
  readonly step: string;
  /** The saga's attempt that it belongs to, from 1; each resubmission begins another. */
  readonly attempt: number;
}

/** Begun; its end is reported later. */
export interface StepStarted<Data> extends TryOfStep {
  readonly kind: "stepStarted";
  readonly data: Data | undefined;
  /** Whole milliseconds: it fails when nothing was reported until then. */
  readonly dueAtMs: number | undefined;
}

/** Also of a step that had failed: its success was reported late, and is undone in turn. */
export interface StepDone<Data> extends TryOfStep {
  readonly kind: "stepDone";
  readonly data: Data | undefined;
}

export interface StepFailed extends TryOfStep {
  readonly kind: "stepFailed";
  /** A code. */
  readonly reason: string;
  /** One sentence for a person. */
  readonly detail: string;
}

/** Its undoing has begun; that it is undone is reported later. */
export interface StepCompensating extends TryOfStep {
  readonly kind: "stepCompensating";
}

export interface StepCompensated extends TryOfStep {
  readonly kind: "stepCompensated";
}

export interface SagaCompleted {
  readonly kind: "completed";
  readonly attempt: number;
}

export interface SagaReversed {
  readonly kind: "reversed";
  readonly attempt: number;
  /** The code of the step that failed. */
  readonly reason: string;
}

/** A reversed saga is taken up again: the attempt that begins with it. */
export interface SagaResubmitted {
  readonly kind: "resubmitted";
  readonly attempt: number;
}
