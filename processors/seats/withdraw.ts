import {
  accept,
  type Decision,
  defineCommand,
  fact,
  refuse,
} from "../../engine/decision/definition.ts";
import { RegistrationCancelled } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import type { SeatRefusalCode } from "./refusals.ts";
import { type CancelReason, registration, type Registration } from "./registration.ts";

export interface Withdraw {
  readonly registrationId: string;
}

export interface Withdrawn {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  readonly status: "cancelled";
  /** Why it ended; not WITHDRAWN when something else ended it before. */
  readonly reason: CancelReason;
}

/**
 * Frees the seat of a held or completed registration. A registration that has ended is left as it
 * is, and the answer tells how it ended: twice is the same answer as once.
 */
export const withdraw = defineCommand({
  name: "withdraw",
  reads: (input: Withdraw) => ({ registration: registration.of(input.registrationId) }),
  decide: ({ registrationId }, states): Decision<Withdrawn> => {
    const found = states.registration;
    if (found.status === "unknown") return unknownRegistration(registrationId);
    if (found.status === "cancelled") return accept([], { registrationId, ...found });
    return end(registrationId, found);
  },
});

type Active = Extract<Registration, { readonly status: "held" | "completed" }>;

function end(registrationId: string, active: Active): Decision<Withdrawn> {
  const { moduleCode, studentId, status } = active;
  const ended = { registrationId, moduleCode, studentId, reason: "WITHDRAWN" } as const;
  const seat = status === "held" ? "HELD" : "CONFIRMED";
  return accept([fact(moduleEvents, RegistrationCancelled, { ...ended, seat })], {
    ...ended,
    status: "cancelled",
  });
}

export function unknownRegistration(registrationId: string): Decision<never> {
  const code: SeatRefusalCode = "registration-unknown";
  return refuse(code, `There is no registration ${registrationId}.`);
}
