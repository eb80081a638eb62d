import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { WaitlistLeft } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { cancelled, type CancelledRegistration } from "./cancel-registration.ts";
import { unknownRegistration } from "./refusals.ts";
import { type OfModule, registration } from "./registration.ts";
import { seatOffer } from "./seat-offer.ts";

export interface Withdraw {
  readonly registrationId: string;
  /** Given: another student's registration is refused as if there were none. */
  readonly onlyOf?: string;
}

/** `left` where it stood in line. `reason` is not WITHDRAWN when something else ended it before. */
export type Withdrawn = CancelledRegistration;

/**
 * Frees the seat of a held or completed registration, or leaves the line. A registration that has
 * ended is left as it is, and the answer tells how it ended: twice is the same answer as once.
 */
export const withdraw = defineCommand({
  name: "withdraw",
  reads: (input: Withdraw) => ({ registration: registration.of(input.registrationId) }),
  decide: ({ registrationId, onlyOf }, states): Decision<Withdrawn> => {
    const found = states.registration;
    if (onlyOf !== undefined && found.status !== "unknown" && found.studentId !== onlyOf) {
      return unknownRegistration(registrationId);
    }
    switch (found.status) {
      case "unknown":
        return unknownRegistration(registrationId);
      case "waiting":
        return left(found, { registrationId, offered: false });
      case "offered":
        return left(found, { registrationId, offered: true });
      case "held":
        return cancelled(found, { registrationId, reason: "WITHDRAWN", seat: "HELD" });
      case "completed":
        return cancelled(found, { registrationId, reason: "WITHDRAWN", seat: "CONFIRMED" });
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

function left(
  { moduleCode, studentId }: OfModule,
  place: Pick<WaitlistLeft, "registrationId" | "offered">,
): Decision<Withdrawn> {
  const { registrationId, offered } = place;
  const gone = { registrationId, moduleCode, studentId };
  const facts = [fact(moduleEvents, WaitlistLeft, { ...gone, offered })];
  const answer = { ...gone, status: "left", reason: null } as const;
  if (!offered) return accept(facts, answer);
  return accept(facts, answer, { deadlines: [seatOffer.cancel(registrationId)] });
}
