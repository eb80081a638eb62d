/**
 * - `pending`: not begun. `started`: begun; its end is reported later.
 * - `done`. `failed`: for `reason`.
 * - `compensating`: what it did is to be undone, or is being undone. `compensated`: it is undone.
 */
export type EnrolmentStepState =
  "pending" | "started" | "done" | "failed" | "compensating" | "compensated";

/** A step of an enrolment, as it stands in its latest attempt. Times are in ms since 1970 (UTC). */
export interface EnrolmentStep {
  /** `reserve/CS101`, `payment`, `confirm/CS101`. */
  readonly name: string;
  readonly state: EnrolmentStepState;
  /** How often it was tried, over all attempts of the enrolment. */
  readonly attempts: number;
  readonly startedAt: number | null;
  /** When it was done, or failed. */
  readonly endedAt: number | null;
  readonly compensatedAt: number | null;
  /** The code with which it failed. */
  readonly reason: string | null;
  readonly detail: string | null;
  /** While it is started: it fails when nothing is reported until then. */
  readonly dueAt: number | null;
  readonly registrationId: string | null;
  readonly paymentId: string | null;
}

export type EnrolmentSteps = readonly EnrolmentStep[];

const paymentStep = "payment";
const confirmSteps = "confirm/";

/** All steps that an enrolment in these modules has, in the order of its stages. */
export const stepsOf = (moduleCodes: readonly string[]): EnrolmentSteps =>
  [
    ...moduleCodes.map((code) => `reserve/${code}`),
    paymentStep,
    ...moduleCodes.map((code) => `${confirmSteps}${code}`),
  ].map((name) => pendingStep(name, 0));

const pendingStep = (name: string, attempts: number): EnrolmentStep => ({
  name,
  state: "pending",
  attempts,
  startedAt: null,
  endedAt: null,
  compensatedAt: null,
  reason: null,
  detail: null,
  dueAt: null,
  registrationId: null,
  paymentId: null,
});

/** The steps of another attempt: all is to be done again. */
export function begunAgain(moduleCodes: readonly string[], before: EnrolmentSteps): EnrolmentSteps {
  const attempts = new Map(before.map((step) => [step.name, step.attempts]));
  return stepsOf(moduleCodes).map(({ name }) => pendingStep(name, attempts.get(name) ?? 0));
}

/** A try begins, at once ended or not. */
export const begun = (step: EnrolmentStep, atMs: number): EnrolmentStep =>
  step.state === "pending" ? { ...step, attempts: step.attempts + 1, startedAt: atMs } : step;

export const changed = (
  steps: EnrolmentSteps,
  name: string,
  change: (step: EnrolmentStep) => EnrolmentStep,
): EnrolmentSteps => steps.map((step) => (step.name === name ? change(step) : step));

/** Once a step fails, all that is done is to be undone. */
export const turnedRound = (steps: EnrolmentSteps): EnrolmentSteps =>
  steps.map((step) => (step.state === "done" ? { ...step, state: "compensating" } : step));

/** A payment that confirming did not wait for has been left out: there is nothing to pay. */
export const withoutIdlePayment = (steps: EnrolmentSteps, step: string): EnrolmentSteps =>
  step.startsWith(confirmSteps)
    ? steps.filter(({ name, state }) => name !== paymentStep || state !== "pending")
    : steps;
