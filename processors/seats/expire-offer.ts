import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { SeatOfferExpired } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { unknownRegistration } from "./refusals.ts";
import { registration } from "./registration.ts";

export interface ExpireOffer {
  readonly registrationId: string;
}

export interface OfferExpiry {
  readonly registrationId: string;
  /** The offer has passed, now or before; false: it was taken or left, or its time has not come. */
  readonly expired: boolean;
}

/** Ends an offer whose time has come: the student is out of the line, and the seat is free. */
export const expireOffer = defineCommand({
  name: "expire-offer",
  reads: (input: ExpireOffer) => ({ registration: registration.of(input.registrationId) }),
  decide: ({ registrationId }, states, context): Decision<OfferExpiry> => {
    const found = states.registration;
    if (found.status === "unknown") return unknownRegistration(registrationId);
    if (found.status !== "offered" || !context.reached(found.offerExpiresAtMs)) {
      return accept([], { registrationId, expired: found.status === "expired" });
    }
    const { moduleCode, studentId } = found;
    const passed = fact(moduleEvents, SeatOfferExpired, { registrationId, moduleCode, studentId });
    return accept([passed], { registrationId, expired: true });
  },
});
