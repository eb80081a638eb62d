import type { Refusal } from "../engine/decision/definition.ts";
import type { EnrolmentRefusalCode } from "../processors/enrolments/index.ts";
import type { PaymentRefusalCode } from "../processors/payments/index.ts";
import type { SeatRefusalCode } from "../processors/seats/index.ts";
import type { SessionRefusalCode } from "../processors/sessions/index.ts";
import type { Problem } from "./problem.ts";
import { statusOf } from "./problem-codes.ts";

/** Whatever commands refuse: their codes are closed lists. */
type RefusalCode = SeatRefusalCode | PaymentRefusalCode | EnrolmentRefusalCode | SessionRefusalCode;

export const problemOfRefusal = ({ code, detail }: Refusal): Problem => {
  const known = code as RefusalCode;
  return { status: statusOf(known), code: known, detail };
};

export const moduleUnknown = (code: string): Problem =>
  problemOfRefusal({
    code: "module-unknown" satisfies RefusalCode,
    detail: `Module ${code} is not on offer.`,
  });

export const registrationUnknown = (id: string): Problem =>
  problemOfRefusal({
    code: "registration-unknown" satisfies RefusalCode,
    detail: `There is no registration ${id}.`,
  });

export const paymentUnknown = (id: string): Problem =>
  problemOfRefusal({
    code: "payment-unknown" satisfies RefusalCode,
    detail: `There is no payment ${id}.`,
  });

export const enrolmentUnknown = (id: string): Problem =>
  problemOfRefusal({
    code: "enrolment-unknown" satisfies RefusalCode,
    detail: `There is no enrolment ${id}.`,
  });
