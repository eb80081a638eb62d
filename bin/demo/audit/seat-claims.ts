import { seatOf } from "../crowd/told.ts";
import { type Claim, count } from "./claim.ts";
import type { Evidence } from "./evidence.ts";

/** What must hold of seats, and of what was said about them. */
export function seatClaims(evidence: Evidence): readonly Claim[] {
  return [
    neverOversold(evidence),
    logIsWhole(evidence),
    answersAreInTheLog(evidence),
    nothingWasGivenToNobody(evidence),
    answersAreInTheReadModel(evidence),
    noSeatIsHeld(evidence),
    readModelsAreTheFold(evidence),
    nothingWasSetAside(evidence),
  ];
}

function neverOversold({ seats }: Evidence): Claim {
  const modules = [...seats.modules.values()];
  const full = modules.filter(({ most, capacity }) => most === capacity).length;
  return {
    says: "No seat was given twice, and none that was not there, at any point of the log",
    rests: `${count(seats.registrations.size, "registration")}, ${full} of ${modules.length} modules were full`,
    against: seats.oversold,
  };
}

function logIsWhole({ seats, payments, recorded }: Evidence): Claim {
  const logged = seats.events + payments.events;
  const missing =
    logged === recorded ? [] : [`the store recorded ${recorded} events, the log has ${logged}`];
  return {
    says: "The log has every event that was recorded, once and in order",
    rests: count(logged, "event"),
    against: [...missing, ...seats.impossible, ...payments.impossible],
  };
}

function answersAreInTheLog({ told, seats, payments }: Evidence): Claim {
  const against = [...told.strange];
  for (const { registrationId, moduleCode, studentId } of told.registered.values()) {
    const found = seats.registrations.get(registrationId);
    if (found?.moduleCode !== moduleCode || found.studentId !== studentId) {
      against.push(`${studentId} was told of a seat in ${moduleCode} (${registrationId})`);
    }
  }
  for (const id of told.paid) {
    if (payments.payments.get(id)?.started !== true) against.push(`a card was taken for ${id}`);
  }
  for (const id of told.withdrawn) {
    const { status = "unknown" } = seats.registrations.get(id) ?? {};
    if (status !== "cancelled") against.push(`${id} was withdrawn, and is ${status}`);
  }
  return {
    says: "Everything that a student was told is in the log",
    rests:
      `${count(told.registered.size, "seat")}, ${count(told.paid.size, "card")}, ` +
      count(told.withdrawn.size, "withdrawal"),
    against,
  };
}

function nothingWasGivenToNobody({ told, seats }: Evidence): Claim {
  const against = [...seats.registrations.values()]
    .filter(({ registrationId }) => !told.registered.has(registrationId))
    .filter(({ studentId, moduleCode }) => {
      return !told.unsettledSeats.has(seatOf(studentId, moduleCode));
    })
    .map(({ registrationId, studentId }) => `${studentId} never heard of ${registrationId}`);
  return {
    says: "No seat was given without an answer",
    rests: `${told.unsettled.length} of all requests stayed without one`,
    against,
  };
}

function answersAreInTheReadModel({ told, registrationRows }: Evidence): Claim {
  const shown = new Map(registrationRows.map((row) => [row.registrationId, row]));
  const lost = [...told.registered.values()].filter(
    ({ registrationId, studentId }) => shown.get(registrationId)?.studentId !== studentId,
  );
  return {
    says: "Every seat that was given is in the read model",
    rests: count(registrationRows.length, "row"),
    against: lost.map(({ registrationId }) => `${registrationId} is not`),
  };
}

function noSeatIsHeld({ seats }: Evidence): Claim {
  const all = [...seats.registrations.values()];
  const of = (status: string) => all.filter((one) => one.status === status);
  return {
    says: "No seat is still held: each was paid for, or is free again",
    rests: `${count(of("completed").length, "registration")} completed, ${of("cancelled").length} cancelled`,
    against: of("held").map(({ registrationId }) => `${registrationId} is held`),
  };
}

function readModelsAreTheFold({ seats, seatRows, registrationRows }: Evidence): Claim {
  const offered = [...seats.modules].filter(([, { offered }]) => offered);
  const folded = [
    ...offered.map(([code, { capacity, held, confirmed }]) =>
      seatsText(code, [capacity, held.size, confirmed.size]),
    ),
    ...[...seats.registrations.values()].map(registrationText),
  ];
  const shown = [
    ...seatRows.map((row) => seatsText(row.moduleCode, [row.capacity, row.held, row.confirmed])),
    ...registrationRows.map(registrationText),
  ];
  return {
    says: "The read models are what an account of its own makes of the log",
    rests: `${count(shown.length, "row")} compared`,
    against: [
      ...without(folded, shown).map((row) => `missing: ${row}`),
      ...without(shown, folded).map((row) => `there, and should not be: ${row}`),
    ],
  };
}

const seatsText = (code: string, [capacity, held, confirmed]: readonly number[]): string =>
  `${code}: capacity ${capacity}, held ${held}, confirmed ${confirmed}`;

const registrationText = (one: {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  readonly status: string;
}): string => `${one.registrationId} ${one.moduleCode} ${one.studentId} ${one.status}`;

function without(all: readonly string[], those: readonly string[]): readonly string[] {
  const known = new Set(those);
  return all.filter((one) => !known.has(one));
}

const nothingWasSetAside = ({ deadLetters }: Evidence): Claim => ({
  says: "No record had to be set aside",
  rests: count(deadLetters, "dead letter"),
  against: deadLetters === 0 ? [] : ["refold dlq list tells which and why"],
});
