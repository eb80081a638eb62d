import { integer, json, nullable, type RowOf, text, timestamp } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import {
  begun,
  begunAgain,
  changed,
  type EnrolmentStep,
  type EnrolmentSteps,
  stepsOf,
  turnedRound,
  withoutIdlePayment,
} from "./steps.ts";

/** What follows a completed enrolment; null: not yet. Times are in ms since 1970 (UTC). */
export interface EnrolmentChain {
  readonly libraryCard: { readonly cardNumber: string; readonly at: number } | null;
  readonly accommodation: {
    readonly residence: string;
    readonly room: string;
    readonly at: number;
  } | null;
  readonly onboardingFinished: { readonly at: number } | null;
}

const nothingYet: EnrolmentChain = {
  libraryCard: null,
  accommodation: null,
  onboardingFinished: null,
};

/**
 * `reversed`: a step failed, and what was done before it is undone; it can be resubmitted. A payment
 * that comes too late is undone after that.
 */
export type EnrolmentStatus = "running" | "compensating" | "completed" | "reversed";

const columns = {
  enrolmentId: text(),
  studentId: text(),
  moduleCodes: json<readonly string[]>(),
  /** An `EnrolmentStatus`. */
  status: text(),
  /** From 1; each resubmission begins another. */
  attempt: integer(),
  /** The code of the step that failed in this attempt. */
  reason: nullable(text()),
  steps: json<EnrolmentSteps>(),
  chain: json<EnrolmentChain>(),
  startedAt: timestamp(),
  /** When it was completed or reversed. */
  endedAt: nullable(timestamp()),
};

export type EnrolmentRow = RowOf<typeof columns>;

interface OfStep {
  readonly step: string;
  readonly attempt: number;
}

/** The row with a step changed; what is told of earlier attempts is past. */
function withStep(
  row: EnrolmentRow | undefined,
  { step, attempt }: OfStep,
  change: (step: EnrolmentStep) => EnrolmentStep,
): EnrolmentRow | undefined {
  if (row === undefined || attempt !== row.attempt) return row;
  return { ...row, steps: withoutIdlePayment(changed(row.steps, step, change), step) };
}

/** The master status of every enrolment that ever was, and of what follows it. */
export const enrolments = defineProjection({
  name: "enrolments",
  version: 1,
  from: enrolmentEvents,
  row: columns,
  indexes: [["studentId", "startedAt"]],
  key: "enrolmentId",
  history: (enrolmentId) => [`enrolment:${enrolmentId}`],
  on: {
    EnrolmentStarted: (_, { enrolmentId, studentId, moduleCodes }, meta): EnrolmentRow => ({
      enrolmentId,
      studentId,
      moduleCodes,
      status: "running",
      attempt: 1,
      reason: null,
      steps: stepsOf(moduleCodes),
      chain: nothingYet,
      startedAt: meta.recordedAtMs,
      endedAt: null,
    }),
    EnrolmentStepStarted: (row, event, { recordedAtMs }) => {
      const { dueAt, registrationId, paymentId } = event;
      const started = { state: "started", dueAt, registrationId, paymentId } as const;
      return withStep(row, event, (step) => ({ ...begun(step, recordedAtMs), ...started }));
    },
    EnrolmentStepDone: (row, event, { recordedAtMs: endedAt }) => {
      const { registrationId, paymentId } = event;
      // A success that was reported late, after the attempt had failed, is to be undone.
      const state = row?.status === "running" ? "done" : "compensating";
      const done = { state, endedAt, registrationId, paymentId, dueAt: null } as const;
      return withStep(row, event, (step) => ({ ...begun(step, endedAt), ...done }));
    },
    EnrolmentStepFailed: (row, event, { recordedAtMs: endedAt }) => {
      const { reason, detail } = event;
      const failed = { state: "failed", endedAt, reason, detail, dueAt: null } as const;
      const after = withStep(row, event, (step) => ({ ...begun(step, endedAt), ...failed }));
      if (after === row || after?.status !== "running") return after;
      return { ...after, status: "compensating", reason, steps: turnedRound(after.steps) };
    },
    EnrolmentStepCompensating: (row, event) =>
      withStep(row, event, (step) => ({ ...step, state: "compensating" })),
    EnrolmentStepCompensated: (row, event, { recordedAtMs: compensatedAt }) =>
      withStep(row, event, (step) => ({ ...step, state: "compensated", compensatedAt })),
    EnrolmentCompleted: (row, _, { recordedAtMs: endedAt }): EnrolmentRow | undefined =>
      row && { ...row, status: "completed", endedAt },
    EnrolmentReversed: (row, { reason }, { recordedAtMs: endedAt }): EnrolmentRow | undefined =>
      row && { ...row, status: "reversed", reason, endedAt },
    EnrolmentResubmitted: (row, { attempt }): EnrolmentRow | undefined =>
      row && {
        ...row,
        status: "running",
        attempt,
        reason: null,
        steps: begunAgain(row.moduleCodes, row.steps),
        endedAt: null,
      },
    LibraryCardIssued: (row, { cardNumber }, { recordedAtMs: at }): EnrolmentRow | undefined =>
      row && { ...row, chain: { ...row.chain, libraryCard: { cardNumber, at } } },
    AccommodationOffered: (row, event, { recordedAtMs: at }): EnrolmentRow | undefined => {
      const { residence, room } = event;
      return row && { ...row, chain: { ...row.chain, accommodation: { residence, room, at } } };
    },
    OnboardingFinished: (row, _, { recordedAtMs: at }): EnrolmentRow | undefined =>
      row && { ...row, chain: { ...row.chain, onboardingFinished: { at } } },
  },
  stores: ["postgres"],
});
