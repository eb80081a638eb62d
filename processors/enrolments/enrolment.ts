import type { CommandCall } from "../../engine/decision/definition.ts";
import { defineSaga } from "../../engine/saga/index.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import { enrolmentAdmission } from "./admission.ts";
import { enrolmentRecords } from "./records.ts";
import { paymentReports } from "./reports.ts";
import { confirm, payment, reserve, type StartEnrolment } from "./steps.ts";

export interface EnrolmentAnswer {
  readonly enrolmentId: string;
  /** From 1; each resubmission begins another. */
  readonly attempt: number;
}

/**
 * A student enrols in several modules at once: all of them, paid once, or none. What follows an
 * enrolment that is completed is out of its hands.
 */
export const enrolment = defineSaga({
  name: "enrolment",
  topic: enrolmentEvents,
  records: enrolmentRecords,
  stages: [[reserve], [payment], [confirm]],
  reports: [paymentReports],
  admission: enrolmentAdmission,
  answer: ({ id, attempt }): EnrolmentAnswer => ({ enrolmentId: id, attempt }),
});

/** Refused with an `EnrolmentRefusalCode`. */
export const startEnrolment = (input: StartEnrolment): CommandCall<EnrolmentAnswer> =>
  enrolment.start({ input });

export interface ResubmitEnrolment {
  readonly enrolmentId: string;
  /** Given: another student's enrolment is refused as if there were none. */
  readonly onlyOf?: string;
}

/** Takes a reversed enrolment up again. Refused with an `EnrolmentRefusalCode`. */
export const resubmitEnrolment = ({
  enrolmentId: id,
  onlyOf,
}: ResubmitEnrolment): CommandCall<EnrolmentAnswer> =>
  enrolment.resubmit(
    onlyOf === undefined ? { id } : { id, onlyIf: ({ studentId }) => studentId === onlyOf },
  );
