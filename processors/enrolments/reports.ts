import { reportsFrom, type SagaReports, type StepReport } from "../../engine/saga/index.ts";
import type { PaymentConfirmed } from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { payment, type KeptOfStep } from "./steps.ts";

type OfPayment = Pick<PaymentConfirmed, "paymentId" | "subjectType" | "subjectId">;
type Outcome = StepReport["outcome"];

/** What the events of payments say of an enrolment's payment step. */
export const paymentReports: SagaReports<KeptOfStep> = reportsFrom(paymentEvents, {
  PaymentConfirmed: (event) => reportOf(event, { kind: "done" }),
  PaymentFailed: (event) => {
    const { reason } = event;
    const detail = `The provider refused the charge: ${reason}.`;
    return reportOf(event, { kind: "failed", reason, detail });
  },
  PaymentDeadlinePassed: (event) => {
    const detail = "The payment was not confirmed in time.";
    return reportOf(event, { kind: "failed", reason: "PAYMENT_TIMED_OUT", detail });
  },
  PaymentRefunded: (event) => reportOf(event, { kind: "undone" }),
});

function reportOf(of: OfPayment, outcome: Outcome): StepReport<KeptOfStep> | undefined {
  if (of.subjectType !== "ENROLMENT") return undefined;
  const isOf = ({ paymentId }: KeptOfStep): boolean => paymentId === of.paymentId;
  return { sagaId: of.subjectId, step: payment.name, isOf, outcome };
}
