import { nameBasedId } from "../../engine/decision/event-ids.ts";
import { paymentIdOf } from "../payments/index.ts";

/** An enrolment's attempt: each resubmission begins another. */
export interface EnrolmentAttempt {
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
}

/** The registration of a module in an enrolment's attempt: whoever asks for it, it is the same. */
export const registrationIdOf = ({ id, attempt }: EnrolmentAttempt, moduleCode: string): string =>
  nameBasedId(`registration/${id}/${attempt}/${moduleCode}`);

/** The one payment of an enrolment's attempt. */
export const enrolmentPaymentId = ({ id, attempt }: EnrolmentAttempt): string =>
  paymentIdOf("ENROLMENT", `${id}/${attempt}`);
