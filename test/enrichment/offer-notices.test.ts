import { expect, test } from "vitest";

import { happened, reactAll } from "../../engine/testing/index.ts";
import { offerNotices } from "../../processors/offer-notices/index.ts";
import {
  ModuleDetailsChanged,
  ModuleOffered,
  SeatOfferAnnounced,
  SeatOffered,
  SeatOfferExpired,
  WaitlistJoined,
} from "../../schemas/index.ts";

const module = { opensAt: null, closesAt: null };
const offer = (moduleCode: string, registrationId: string, studentId: string) =>
  happened(SeatOffered, { moduleCode, registrationId, studentId, offerExpiresAt: 5_000 });

const history = [
  happened(ModuleOffered, {
    ...module,
    moduleCode: "A",
    title: "Algebra",
    capacity: 1,
    feeCents: 100,
  }),
  happened(ModuleOffered, {
    ...module,
    moduleCode: "B",
    title: "Botany",
    capacity: 1,
    feeCents: 0,
  }),
  happened(WaitlistJoined, { moduleCode: "A", registrationId: "r-1", studentId: "ada" }),
  offer("A", "r-1", "ada"),
  happened(ModuleDetailsChanged, { ...module, moduleCode: "A", title: "Algebra I", feeCents: 250 }),
  happened(SeatOfferExpired, { moduleCode: "A", registrationId: "r-1", studentId: "ada" }),
  offer("A", "r-2", "bob"),
  offer("B", "r-3", "cyd"),
];

test("an announcement carries the title and the fee that the module had when the seat was offered", () => {
  const { facts } = reactAll(offerNotices, history, 0);
  expect(facts.map(({ event }) => event)).toEqual([
    announced({ studentId: "ada", registrationId: "r-1", moduleTitle: "Algebra", feeCents: 100 }),
    announced({ studentId: "bob", registrationId: "r-2", moduleTitle: "Algebra I", feeCents: 250 }),
    announced({
      moduleCode: "B",
      studentId: "cyd",
      registrationId: "r-3",
      moduleTitle: "Botany",
      feeCents: 0,
    }),
  ]);
  expect(new Set(facts.map(({ type }) => type))).toEqual(new Set([SeatOfferAnnounced]));
});

const announced = (
  said: Partial<SeatOfferAnnounced> & Pick<SeatOfferAnnounced, "studentId" | "registrationId">,
) => ({ moduleCode: "A", offerExpiresAt: 5_000, ...said });
