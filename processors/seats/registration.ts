import { defineDecisionModel } from "../../engine/decision/definition.ts";
import type { RegistrationCancelled } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";

export type CancelReason = RegistrationCancelled["reason"];

/** Whose registration it is, and of what. */
export interface OfModule {
  readonly moduleCode: string;
  readonly studentId: string;
}

/** One registration, from its first event on. */
export type Registration =
  | { readonly status: "unknown" }
  /** In line, without an offer. */
  | (OfModule & { readonly status: "waiting" })
  /** In line, with a seat held until the time; milliseconds since 1970 (UTC). */
  | (OfModule & { readonly status: "offered"; readonly offerExpiresAtMs: number })
  | (OfModule & { readonly status: "held" | "completed" })
  | (OfModule & { readonly status: "cancelled"; readonly reason: CancelReason })
  /** Ended in line: the student left it, or didn't take the offer in time. */
  | (OfModule & { readonly status: "left" | "expired" });

const unknown: Registration = { status: "unknown" };

export const registration = defineDecisionModel({
  name: "registration",
  tag: "registration",
  topic: moduleEvents,
  initial: unknown,
  on: {
    ModuleRegistered: (_, event): Registration => ({ status: "held", ...ofModule(event) }),
    RegistrationCompleted: (_, event): Registration => ({
      status: "completed",
      ...ofModule(event),
    }),
    RegistrationCancelled: (_, event): Registration => ({
      status: "cancelled",
      ...ofModule(event),
      reason: event.reason,
    }),
    WaitlistJoined: (_, event): Registration => ({ status: "waiting", ...ofModule(event) }),
    SeatOffered: (_, event): Registration => ({
      status: "offered",
      ...ofModule(event),
      offerExpiresAtMs: event.offerExpiresAt,
    }),
    SeatOfferExpired: (_, event): Registration => ({ status: "expired", ...ofModule(event) }),
    WaitlistLeft: (_, event): Registration => ({ status: "left", ...ofModule(event) }),
  },
});

const ofModule = ({ moduleCode, studentId }: OfModule): OfModule => ({ moduleCode, studentId });
