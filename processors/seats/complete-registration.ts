import {
  accept,
  type Decision,
  defineCommand,
  fact,
  refuse,
} from "../../engine/decision/definition.ts";
import { RegistrationCompleted } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import type { SeatRefusalCode } from "./refusals.ts";
import { registration } from "./registration.ts";
import { unknownRegistration } from "./withdraw.ts";

export interface CompleteRegistration {
  readonly registrationId: string;
}

/** Confirms a held seat. Refused when the registration has ended meanwhile. */
export const completeRegistration = defineCommand({
  name: "complete-registration",
  reads: (input: CompleteRegistration) => ({
    registration: registration.of(input.registrationId),
  }),
  decide: ({ registrationId }, states): Decision<{ readonly registrationId: string }> => {
    const found = states.registration;
    if (found.status === "unknown") return unknownRegistration(registrationId);
    if (found.status === "cancelled") return ended(registrationId, found.reason);
    if (found.status === "completed") return accept([], { registrationId });
    const { moduleCode, studentId } = found;
    const completed = { registrationId, moduleCode, studentId };
    return accept([fact(moduleEvents, RegistrationCompleted, completed)], { registrationId });
  },
});

function ended(registrationId: string, reason: string): Decision<never> {
  const code: SeatRefusalCode = "registration-cancelled";
  return refuse(code, `Registration ${registrationId} has ended: ${reason}.`);
}
