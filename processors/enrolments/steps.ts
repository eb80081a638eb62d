import { defineStep, type SagaProgress, type StepToDo } from "../../engine/saga/index.ts";
import {
  type PaymentPart,
  refundRegistration,
  requestPayment,
  type RequestPayment,
} from "../payments/index.ts";
import {
  cancelRegistration,
  completeRegistration,
  defaultHoldMs,
  register,
  type Registered,
} from "../seats/index.ts";
import { enrolmentPaymentId, registrationIdOf } from "./ids.ts";
import { paymentSettled } from "./payment-settled.ts";

export interface StartEnrolment {
  readonly studentId: string;
  readonly moduleCodes: readonly string[];
}

/** What an enrolment keeps of a step that was done. */
export interface KeptOfStep {
  readonly registrationId: string | null;
  readonly paymentId: string | null;
  /** Cents. */
  readonly feeCents: number | null;
}

type Progress = SagaProgress<StartEnrolment, KeptOfStep>;
type ToDo = StepToDo<StartEnrolment, KeptOfStep>;

const eachModule = ({ input }: Progress): readonly string[] => input.moduleCodes;

/**
 * The payment's own deadline passes when the seats' holds end. The step waits a little longer: it
 * ends by itself where payments don't answer at all.
 */
const paymentGraceMs = 60_000;

/** Holds a seat in each module. */
export const reserve = defineStep({
  name: "reserve",
  each: eachModule,
  call: (step: ToDo) =>
    register({
      moduleCode: step.subject,
      studentId: step.input.studentId,
      enrolmentId: step.id,
      registrationId: registrationIdOf(step, step.subject),
    }),
  keep: ({ registrationId, feeCents }: Registered): KeptOfStep => ({
    registrationId,
    paymentId: null,
    feeCents,
  }),
  undo: { calls: (tried) => cancelSeat(registrationIdOf(tried, tried.subject)) },
});

/** One payment for all; left out when nothing is to be paid. */
export const payment = defineStep({
  name: "payment",
  when: (progress: Progress) => partsOf(progress).some(({ amountCents }) => amountCents > 0),
  reportedWithinMs: defaultHoldMs + paymentGraceMs,
  call: (step: ToDo) => requestPayment(owed(step)),
  keep: ({ paymentId, amountCents }): KeptOfStep => ({
    registrationId: null,
    paymentId,
    feeCents: amountCents,
  }),
  undo: {
    calls: (tried) =>
      tried.input.moduleCodes.map((moduleCode) =>
        refundRegistration({
          registrationId: registrationIdOf(tried, moduleCode),
          reason: "ENROLMENT_REVERSED",
        }),
      ),
    needless: ({ code }) => code === "nothing-to-refund",
    ended: (tried) => paymentSettled({ paymentId: enrolmentPaymentId(tried) }),
  },
});

/** Turns each held seat into a taken one. */
export const confirm = defineStep({
  name: "confirm",
  each: eachModule,
  call: (step: ToDo) =>
    completeRegistration({ registrationId: registrationIdOf(step, step.subject) }),
  keep: ({ registrationId }): KeptOfStep => ({
    registrationId,
    paymentId: null,
    feeCents: null,
  }),
  undo: { calls: (tried) => cancelSeat(registrationIdOf(tried, tried.subject)) },
});

/** Whatever has ended it before counts: cancelled twice is as once. */
const cancelSeat = (registrationId: string) =>
  cancelRegistration({ registrationId, reason: "ENROLMENT_REVERSED" });

function owed(step: ToDo): RequestPayment {
  return {
    paymentId: enrolmentPaymentId(step),
    studentId: step.input.studentId,
    subjectType: "ENROLMENT",
    subjectId: step.id,
    registrations: partsOf(step),
    expiresAt: step.dueAtMs === undefined ? null : step.dueAtMs - paymentGraceMs,
  };
}

const partsOf = (progress: Progress): readonly PaymentPart[] =>
  progress.input.moduleCodes.map((moduleCode) => ({
    registrationId: registrationIdOf(progress, moduleCode),
    moduleCode,
    amountCents: progress.done.get(`reserve/${moduleCode}`)?.feeCents ?? 0,
  }));
