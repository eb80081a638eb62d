import type { GivenEvent } from "../../engine/testing/index.ts";
import {
  confirmPayment,
  failPayment,
  passPaymentDeadline,
  payByCard,
  paymentIdOf,
  recordRefund,
  requestPayment,
} from "../../processors/payments/index.ts";
import { ModuleHistory } from "../app/module-history.ts";

const provider = "sandbox";

/** Payments that end in every way: paid, refused, expired, late, paid back in part and whole. */
export function paymentFacts(): readonly GivenEvent[] {
  const history = new ModuleHistory();
  const request = (subjectId: string, ...amounts: readonly number[]): string => {
    history.nowMs += 1_000;
    const subjectType = amounts.length > 1 ? "ENROLMENT" : "REGISTRATION";
    const registrations = amounts.map((amountCents, at) => {
      const registrationId = amounts.length > 1 ? `${subjectId}/${at}` : subjectId;
      return { registrationId, moduleCode: `M${at}`, amountCents };
    });
    const paymentId = paymentIdOf(subjectType, subjectId);
    const of = { paymentId, studentId: "ada", subjectType, subjectId, registrations } as const;
    history.must(requestPayment(of));
    return paymentId;
  };
  const charge = (paymentId: string): void => {
    history.must(confirmPayment({ paymentId, provider, reference: `ch-${paymentId}` }));
  };
  const refund = (paymentId: string, registrationId: string): void => {
    const back = { provider, reference: `re-${registrationId}`, reason: "WITHDRAWN" };
    history.must(recordRefund({ paymentId, registrationId, ...back }));
  };
  const [paid, refused, expired, late] = ["a", "b", "c", "d"].map((id) => request(id, 12_000));
  const enrolled = request("e", 100, 250, 0);
  request("f", 1);
  history.must(payByCard({ paymentId: paid ?? "", token: "tok_ok" }));
  charge(paid ?? "");
  history.must(failPayment({ paymentId: refused ?? "", provider, reason: "CARD_DECLINED" }));
  history.must(passPaymentDeadline({ paymentId: expired ?? "" }));
  history.must(passPaymentDeadline({ paymentId: late ?? "" }));
  charge(late ?? "");
  refund(late ?? "", "d");
  charge(enrolled);
  refund(enrolled, "e/1");
  return history.facts.map(({ type, event, recordedAtMs }) => ({ type, event, recordedAtMs }));
}
