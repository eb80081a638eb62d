import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { offerModule, withdrawModule } from "../../processors/catalogue/index.ts";
import { completeRegistration, register, withdraw } from "../../processors/seats/index.ts";
import { registrations, type RegistrationRow } from "../../projections/registrations/index.ts";
import {
  availableSeats,
  seatAvailability,
  type SeatAvailabilityRow,
} from "../../projections/seat-availability/index.ts";
import { foldFacts, ModuleHistory, type RecordedFact } from "./module-history.ts";

const module = fc.constantFrom("A", "B");
const student = fc.constantFrom("s1", "s2", "s3", "s4");

/** A step of a random history; registrations are chosen among those that were given. */
const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("offer" as const),
      moduleCode: module,
      capacity: fc.integer({ min: 0, max: 3 }),
      feeCents: fc.constantFrom(0, 500),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("register" as const),
      moduleCode: module,
      studentId: student,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("withdraw" as const, "complete" as const),
      registration: fc.nat(20),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("withdraw-module" as const), moduleCode: module }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function take(history: ModuleHistory, ids: string[], next: Step): void {
  switch (next.kind) {
    case "offer": {
      const { moduleCode, capacity, feeCents } = next;
      const row = { moduleCode, capacity, feeCents, title: "T", opensAt: null, closesAt: null };
      history.must(offerModule(row));
      break;
    }
    case "register": {
      const { moduleCode, studentId } = next;
      const decision = history.do(register({ moduleCode, studentId }));
      if (decision.kind === "accepted") ids.push(decision.answer.registrationId);
      break;
    }
    case "withdraw":
    case "complete": {
      const registrationId = ids[next.registration];
      if (registrationId === undefined) break;
      const command = next.kind === "withdraw" ? withdraw : completeRegistration;
      history.do<unknown>(command({ registrationId }));
      break;
    }
    case "withdraw-module":
      history.must(withdrawModule({ moduleCode: next.moduleCode }));
      break;
  }
}

const seatsAfter = (facts: readonly RecordedFact[]) =>
  foldFacts(seatAvailability, facts) as ReadonlyMap<string, SeatAvailabilityRow>;

const rowsAfter = (facts: readonly RecordedFact[]) =>
  foldFacts(registrations, facts) as ReadonlyMap<string, RegistrationRow>;

/** What must hold of every prefix of the log. */
function checkPrefix(facts: readonly RecordedFact[]): void {
  const seats = seatsAfter(facts);
  const active = [...rowsAfter(facts).values()].filter(({ status }) => status !== "cancelled");
  for (const row of seats.values()) {
    expect(row.held).toBeGreaterThanOrEqual(0);
    expect(row.confirmed).toBeGreaterThanOrEqual(0);
    const ofModule = active.filter(({ moduleCode }) => moduleCode === row.moduleCode);
    expect(row.held).toBe(ofModule.filter(({ status }) => status === "held").length);
    expect(row.confirmed).toBe(ofModule.filter(({ status }) => status === "completed").length);
  }
  const pairs = active.map(({ moduleCode, studentId }) => `${moduleCode} ${studentId}`);
  expect(new Set(pairs).size).toBe(pairs.length);
}

describe("random histories of modules and students", () => {
  it("keep the invariants of seats at every prefix of the log", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const history = new ModuleHistory();
        const ids: string[] = [];
        for (const next of steps) take(history, ids, next);
        for (let length = 0; length <= history.facts.length; length += 1) {
          checkPrefix(history.facts.slice(0, length));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("give no seat while none is free", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const history = new ModuleHistory();
        const ids: string[] = [];
        for (const next of steps) {
          const before = seatsAfter(history.facts);
          const given = ids.length;
          take(history, ids, next);
          if (ids.length === given || next.kind !== "register") continue;
          const row = before.get(next.moduleCode);
          expect(row && availableSeats(row)).toBeGreaterThan(0);
        }
      }),
      { numRuns: 60 },
    );
  });
});
