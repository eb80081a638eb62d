import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { RegistrationCancelled } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { inLine, no, unknownRegistration } from "./refusals.ts";
import { type CancelReason, type OfModule, registration } from "./registration.ts";

/** A registration to end, for a reason that is not the student's wish (`withdraw` is that). */
export interface CancelRegistration {
  readonly registrationId: string;
  readonly reason: Extract<
    CancelReason,
    "PAYMENT_FAILED" | "PAYMENT_TIMED_OUT" | "ENROLMENT_REVERSED"
  >;
}

export interface CancelledRegistration extends OfModule {
  readonly registrationId: string;
  readonly status: "cancelled" | "left" | "expired";
  /** Why it ended, the first reason counts; null where it never had a seat. */
  readonly reason: CancelReason | null;
}

/**
 * Frees the seat of a registration. One that has ended is left as it is, and the answer tells how.
 * A payment's reasons end a held one alone: `registration-completed` is refused, since it is paid.
 */
export const cancelRegistration = defineCommand({
  name: "cancel-registration",
  reads: (input: CancelRegistration) => ({
    registration: registration.of(input.registrationId),
  }),
  decide: ({ registrationId, reason }, states): Decision<CancelledRegistration> => {
    const found = states.registration;
    switch (found.status) {
      case "unknown":
        return unknownRegistration(registrationId);
      case "waiting":
      case "offered":
        return inLine(registrationId);
      case "completed":
        if (reason !== "ENROLMENT_REVERSED") return paid(registrationId);
        return cancelled(found, { registrationId, reason, seat: "CONFIRMED" });
      case "held":
        return cancelled(found, { registrationId, reason, seat: "HELD" });
      case "cancelled":
        return accept([], { registrationId, ...found });
      case "left":
      case "expired":
        return accept([], { registrationId, ...found, reason: null });
      default:
        return found satisfies never;
    }
  },
});

const paid = (registrationId: string): Decision<never> =>
  no("registration-completed", `Registration ${registrationId} is completed.`);

/** The decision that ends a registration which has a seat. */
export function cancelled(
  { moduleCode, studentId }: OfModule,
  end: Pick<RegistrationCancelled, "registrationId" | "reason" | "seat">,
): Decision<CancelledRegistration> {
  const { registrationId, reason } = end;
  const ended = fact(moduleEvents, RegistrationCancelled, { ...end, moduleCode, studentId });
  const answer = { registrationId, moduleCode, studentId, status: "cancelled", reason } as const;
  return accept([ended], answer);
}
