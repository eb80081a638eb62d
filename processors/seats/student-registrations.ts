import { defineDecisionModel } from "../../engine/decision/definition.ts";
import { moduleEvents } from "../../schemas/topics.ts";

/** A student's standing in a line. */
export interface InLine {
  readonly registrationId: string;
  /** Until when a seat is held for the student; null: none is. */
  readonly offerExpiresAtMs: number | null;
}

/** Where a student has a seat, and where one waits for it. */
export interface StudentRegistrations {
  /** The id of each active registration, by module. */
  readonly active: ReadonlyMap<string, string>;
  /** By module. */
  readonly inLine: ReadonlyMap<string, InLine>;
}

const none: StudentRegistrations = { active: new Map(), inLine: new Map() };

export const studentRegistrations = defineDecisionModel({
  name: "student-registrations",
  tag: "student",
  topic: moduleEvents,
  initial: none,
  on: {
    ModuleRegistered: ({ active, inLine }, event): StudentRegistrations => ({
      active: new Map(active).set(event.moduleCode, event.registrationId),
      inLine: without(inLine, event.moduleCode),
    }),
    RegistrationCancelled: (student, event): StudentRegistrations =>
      // Only the registration that holds the seat: an older one of the same module may end late.
      student.active.get(event.moduleCode) === event.registrationId
        ? { ...student, active: without(student.active, event.moduleCode) }
        : student,
    WaitlistJoined: (student, { moduleCode, registrationId }): StudentRegistrations =>
      standing(student, moduleCode, { registrationId, offerExpiresAtMs: null }),
    SeatOffered: (student, { moduleCode, registrationId, offerExpiresAt }): StudentRegistrations =>
      standing(student, moduleCode, { registrationId, offerExpiresAtMs: offerExpiresAt }),
    SeatOfferExpired: (student, { moduleCode }): StudentRegistrations => ({
      ...student,
      inLine: without(student.inLine, moduleCode),
    }),
    WaitlistLeft: (student, { moduleCode }): StudentRegistrations => ({
      ...student,
      inLine: without(student.inLine, moduleCode),
    }),
  },
});

const standing = (
  student: StudentRegistrations,
  moduleCode: string,
  place: InLine,
): StudentRegistrations => ({
  ...student,
  inLine: new Map(student.inLine).set(moduleCode, place),
});

function without<Item>(map: ReadonlyMap<string, Item>, key: string): ReadonlyMap<string, Item> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
