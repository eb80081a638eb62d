import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { RegistrationCompleted } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { inLine, no, unknownRegistration } from "./refusals.ts";
import { type OfModule, registration } from "./registration.ts";

export interface CompleteRegistration {
  readonly registrationId: string;
}

export interface CompletedRegistration extends OfModule {
  readonly registrationId: string;
}

/**
 * Confirms a held seat; twice is as once. Refused with `registration-cancelled` when the
 * registration has ended meanwhile, and with `registration-in-line` while it has no seat.
 */
export const completeRegistration = defineCommand({
  name: "complete-registration",
  reads: (input: CompleteRegistration) => ({
    registration: registration.of(input.registrationId),
  }),
  decide: ({ registrationId }, states): Decision<CompletedRegistration> => {
    const found = states.registration;
    if (found.status === "unknown") return unknownRegistration(registrationId);
    const { moduleCode, studentId } = found;
    const completed = { registrationId, moduleCode, studentId };
    switch (found.status) {
      case "held":
        return accept([fact(moduleEvents, RegistrationCompleted, completed)], completed);
      case "completed":
        return accept([], completed);
      case "waiting":
      case "offered":
        return inLine(registrationId);
      case "cancelled":
        return ended(registrationId, found.reason);
      case "left":
        return ended(registrationId, "the student left the line");
      case "expired":
        return ended(registrationId, "the offered seat was not taken in time");
      default:
        return found satisfies never;
    }
  },
});

const ended = (registrationId: string, why: string): Decision<never> =>
  no("registration-cancelled", `Registration ${registrationId} has ended: ${why}.`);
