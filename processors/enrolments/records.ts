import { recordedAs, type SagaRecords } from "../../engine/saga/index.ts";
import {
  EnrolmentCompleted,
  EnrolmentResubmitted,
  EnrolmentReversed,
  EnrolmentStarted,
  EnrolmentStepCompensated,
  EnrolmentStepCompensating,
  EnrolmentStepDone,
  EnrolmentStepFailed,
  EnrolmentStepStarted,
} from "../../schemas/index.ts";
import type { KeptOfStep, StartEnrolment } from "./steps.ts";

interface Head {
  readonly id: string;
  readonly input: StartEnrolment;
}

const headOf = ({ id, input }: Head) => ({ enrolmentId: id, studentId: input.studentId });

const nothingKept: KeptOfStep = { registrationId: null, paymentId: null, feeCents: null };

interface Tried {
  readonly step: string;
  readonly attempt: number;
}

const triedOf = ({ step, attempt }: Tried): Tried => ({ step, attempt });

/** What happens to an enrolment, as the events of its topic. */
export const enrolmentRecords: SagaRecords<StartEnrolment, KeptOfStep> = {
  started: recordedAs(EnrolmentStarted, {
    write: ({ input }, saga) => ({ ...headOf(saga), moduleCodes: [...input.moduleCodes] }),
    read: ({ enrolmentId, studentId, moduleCodes }) => ({
      id: enrolmentId,
      input: { studentId, moduleCodes },
    }),
  }),
  stepStarted: recordedAs(EnrolmentStepStarted, {
    write: ({ data = nothingKept, dueAtMs = null, ...fact }, saga) => ({
      ...headOf(saga),
      ...triedOf(fact),
      registrationId: data.registrationId,
      paymentId: data.paymentId,
      dueAt: dueAtMs,
    }),
    read: ({ registrationId, paymentId, dueAt, ...event }) => ({
      ...triedOf(event),
      data: { registrationId, paymentId, feeCents: null },
      dueAtMs: dueAt ?? undefined,
    }),
  }),
  stepDone: recordedAs(EnrolmentStepDone, {
    write: ({ data = nothingKept, ...fact }, saga) => ({
      ...headOf(saga),
      ...triedOf(fact),
      ...data,
    }),
    read: ({ registrationId, paymentId, feeCents, ...event }) => ({
      ...triedOf(event),
      data: { registrationId, paymentId, feeCents },
    }),
  }),
  stepFailed: recordedAs(EnrolmentStepFailed, {
    write: ({ reason, detail, ...fact }, saga) => ({
      ...headOf(saga),
      ...triedOf(fact),
      reason,
      detail,
    }),
    read: ({ reason, detail, ...event }) => ({ ...triedOf(event), reason, detail }),
  }),
  stepCompensating: recordedAs(EnrolmentStepCompensating, {
    write: (fact, saga) => ({ ...headOf(saga), ...triedOf(fact) }),
    read: triedOf,
  }),
  stepCompensated: recordedAs(EnrolmentStepCompensated, {
    write: (fact, saga) => ({ ...headOf(saga), ...triedOf(fact) }),
    read: triedOf,
  }),
  completed: recordedAs(EnrolmentCompleted, {
    write: ({ attempt }, saga) => ({ ...headOf(saga), attempt }),
    read: ({ attempt }) => ({ attempt }),
  }),
  reversed: recordedAs(EnrolmentReversed, {
    write: ({ attempt, reason }, saga) => ({ ...headOf(saga), attempt, reason }),
    read: ({ attempt, reason }) => ({ attempt, reason }),
  }),
  resubmitted: recordedAs(EnrolmentResubmitted, {
    write: ({ attempt }, saga) => ({ ...headOf(saga), attempt }),
    read: ({ attempt }) => ({ attempt }),
  }),
};
