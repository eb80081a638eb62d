import {
  accept,
  type Decision,
  defineCommand,
  defineDecisionModel,
  fact,
} from "../../engine/decision/definition.ts";
import { nameBasedId } from "../../engine/decision/event-ids.ts";
import { AccommodationOffered } from "../../schemas/index.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";

export interface OfferRoom {
  readonly enrolmentId: string;
  readonly studentId: string;
}

const roomOffered = defineDecisionModel({
  name: "accommodation-offered",
  tag: "enrolment",
  topic: enrolmentEvents,
  initial: false,
  on: { AccommodationOffered: () => true },
});

/** Offers the student a place to live for an enrolment, once. */
export const offerRoom = defineCommand({
  name: "offer-accommodation",
  reads: ({ enrolmentId }: OfferRoom) => ({ offered: roomOffered.ofNew(enrolmentId) }),
  decide: ({ enrolmentId, studentId }, { offered }): Decision<undefined> => {
    if (offered) return accept([], undefined);
    const room = { enrolmentId, studentId, ...roomOf(studentId) };
    return accept([fact(enrolmentEvents, AccommodationOffered, room)], undefined);
  },
});

const residences = ["North Court", "East Court", "South Court", "West Court"] as const;
const floors = 6;
const roomsOfFloor = 40;

/** The same place for a student whatever it is offered for. */
export function roomOf(studentId: string): { residence: string; room: string } {
  const digits = nameBasedId(`accommodation/${studentId}`).replaceAll("-", "");
  const numberAt = (place: number): number => Number.parseInt(digits.slice(place, place + 4), 16);
  const residence = residences[numberAt(0) % residences.length] as string;
  const floor = 1 + (numberAt(4) % floors);
  const room = 1 + (numberAt(8) % roomsOfFloor);
  return { residence, room: `${floor}.${String(room).padStart(2, "0")}` };
}
