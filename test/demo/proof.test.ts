import { expect, test } from "vitest";

import { claimText } from "../../bin/demo/audit/claim.ts";
import { day, failuresOf } from "./registration-day.ts";

const eve = { registrationId: "r-eve", moduleCode: "M1", studentId: "eve" };
const oversold = "No seat was given twice, and none that was not there, at any point of the log";

const without = (type: string) => day.seats.filter(([one]) => one !== type);

test("a day on which all went well fails in no claim", () => {
  expect(failuresOf({})).toEqual([]);
});

test("a seat too many fails, also where another was freed later", () => {
  const [offered, first, second, ...rest] = day.seats;
  const third = ["ModuleRegistered", { ...eve, feeCents: 0 }] as const;
  const seats = [offered, first, second, third, ...rest].filter((one) => one !== undefined);
  expect(new Map(failuresOf({ seats })).get(oversold)).toEqual([
    "module-events 0@3 ModuleRegistered: M1 has 2 seats, all taken",
  ]);
});

test("a student's second seat in one module fails", () => {
  const again = ["ModuleRegistered", { ...eve, studentId: "ada", feeCents: 0 }] as const;
  expect(new Map(failuresOf({ seats: [...day.seats, again] })).get(oversold)).toEqual([
    "module-events 0@6 ModuleRegistered: ada has a seat in M1 already",
  ]);
});

test("a charge that was made twice fails, and so does its refund that was not", () => {
  const charges = [
    ...day.evidence.charges,
    { key: "c-ada-2", paymentId: "p-ada", amountCents: 500 },
  ];
  expect(failuresOf({ evidence: { charges } })).toEqual([
    [
      "Nobody was charged twice, or another amount (in the provider's own books)",
      ["p-ada was charged 2 times"],
    ],
  ]);
});

test("a refund that is missing, made twice, or of nothing fails", () => {
  const [refund] = day.evidence.refunds;
  const of = (refunds: typeof day.evidence.refunds) =>
    failuresOf({ evidence: { refunds } }).flatMap(([, against]) => against);
  expect(of([])).toEqual(["p-bob: 5.00 were to be paid back, 0.00 were, and the log says 5.00"]);
  expect(of([refund, refund].flatMap((one) => one ?? []))).toEqual([
    "p-bob: 5.00 were to be paid back, 10.00 were, and the log says 5.00",
  ]);
  const stray = { key: "f-stray", reference: "ch:nobody", amountCents: 1 };
  expect(of([...day.evidence.refunds, stray])).toEqual(["f-stray pays back no charge"]);
});

test("a seat that somebody was told of and the log doesn't have fails", () => {
  const told = failuresOf({ told: ({ registered }) => registered.set("r-eve", eve) });
  expect(told.map(([, against]) => against)).toEqual([
    ["eve was told of a seat in M1 (r-eve)"],
    ["r-eve is not"],
  ]);
});

test("a withdrawal that was confirmed and is not in the log fails", () => {
  const failed = failuresOf({ seats: without("RegistrationCancelled") });
  expect(failed.map(([, against]) => against[0])).toContain(
    "r-bob was withdrawn, and is completed",
  );
});

test("a seat that nobody was told of fails, unless a request for it stayed open", () => {
  const forget = {
    told: ({ registered }: { registered: Map<string, unknown> }) => registered.delete("r-ada"),
  };
  expect(failuresOf(forget)).toEqual([
    ["No seat was given without an answer", ["ada never heard of r-ada"]],
  ]);
  const open = failuresOf({
    told: ({ registered, unsettledSeats }) => {
      registered.delete("r-ada");
      unsettledSeats.add("ada M1");
    },
  });
  expect(open).toEqual([]);
});

test("a seat that is still held fails", () => {
  const failed = failuresOf({ seats: without("RegistrationCompleted") });
  expect(failed.map(([, against]) => against[0])).toContain("r-ada is held");
});

test("a row that isn't what the log gives fails, and is shown beside what it should be", () => {
  const seatRows = [{ moduleCode: "M1", capacity: 2, held: 0, confirmed: 2 }];
  expect(failuresOf({ evidence: { seatRows } }).map(([, against]) => against)).toEqual([
    [
      "missing: M1: capacity 2, held 0, confirmed 1",
      "there, and should not be: M1: capacity 2, held 0, confirmed 2",
    ],
  ]);
});

test("an event that the log lacks fails", () => {
  expect(failuresOf({ evidence: { recorded: 14 } }).map(([, against]) => against)).toEqual([
    ["the store recorded 14 events, the log has 13"],
  ]);
});

test("a record that was set aside fails", () => {
  expect(failuresOf({ evidence: { deadLetters: 1 } })).toHaveLength(1);
});

test("a claim that fails says so first, and shows some of what speaks against it", () => {
  const against = Array.from({ length: 8 }, (_, at) => `reason ${at}`);
  const lines = claimText({ says: "It holds", rests: "8 rows", against }).split("\n");
  expect(lines[0]).toBe("FAILS  It holds: 8 rows");
  expect(lines).toHaveLength(7);
  expect(lines.at(-1)?.trim()).toBe("and 3 more");
});
