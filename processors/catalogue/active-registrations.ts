import { defineDecisionModel } from "../../engine/decision/definition.ts";
import { moduleEvents } from "../../schemas/topics.ts";

export interface ActiveRegistration {
  readonly registrationId: string;
  readonly studentId: string;
  /** WAITING and OFFERED stand in line, without a seat and with one held by an offer. */
  readonly seat: "HELD" | "CONFIRMED" | "WAITING" | "OFFERED";
}

interface Step {
  readonly registrationId: string;
  /** null: the registration ended. */
  readonly now: ActiveRegistration | null;
  readonly before: Steps;
}

/**
 * The registrations of a module and its line, as the chain of their changes, newest first. A map that is copied
 * at every event would cost the square of their number; the chain costs one node each, and is
 * walked only when a module is withdrawn.
 */
export type Steps = Step | undefined;

export const activeRegistrations = defineDecisionModel({
  name: "active-registrations",
  tag: "module",
  topic: moduleEvents,
  initial: undefined as Steps,
  on: {
    ModuleRegistered: (before, event): Steps => step(before, event, "HELD"),
    RegistrationCompleted: (before, event): Steps => step(before, event, "CONFIRMED"),
    RegistrationCancelled: (before, event): Steps => step(before, event, null),
    WaitlistJoined: (before, event): Steps => step(before, event, "WAITING"),
    SeatOffered: (before, event): Steps => step(before, event, "OFFERED"),
    SeatOfferExpired: (before, event): Steps => step(before, event, null),
    WaitlistLeft: (before, event): Steps => step(before, event, null),
    // A withdrawal ends every registration in the same append: nothing before it is still active.
    ModuleWithdrawn: (): Steps => undefined,
  },
});

const step = (
  before: Steps,
  { registrationId, studentId }: Omit<ActiveRegistration, "seat">,
  seat: ActiveRegistration["seat"] | null,
): Steps => ({
  registrationId,
  now: seat === null ? null : { registrationId, studentId, seat },
  before,
});

/** The active ones, oldest last change first. */
export function listActive(steps: Steps): ActiveRegistration[] {
  const settled = new Set<string>();
  const active: ActiveRegistration[] = [];
  for (let step = steps; step !== undefined; step = step.before) {
    if (settled.has(step.registrationId)) continue;
    settled.add(step.registrationId);
    if (step.now !== null) active.push(step.now);
  }
  return active.toReversed();
}
