import { defineDecisionModel } from "../../engine/decision/definition.ts";
import { moduleEvents } from "../../schemas/topics.ts";

/** A student's active registrations: the id of each, by module. */
export type StudentRegistrations = ReadonlyMap<string, string>;

export const studentRegistrations = defineDecisionModel({
  name: "student-registrations",
  tag: "student",
  topic: moduleEvents,
  initial: new Map() as StudentRegistrations,
  on: {
    ModuleRegistered: (active, event): StudentRegistrations =>
      new Map(active).set(event.moduleCode, event.registrationId),
    RegistrationCancelled: (active, event): StudentRegistrations => {
      // Only the registration that holds the seat: an older one of the same module may end late.
      if (active.get(event.moduleCode) !== event.registrationId) return active;
      const rest = new Map(active);
      rest.delete(event.moduleCode);
      return rest;
    },
  },
});
