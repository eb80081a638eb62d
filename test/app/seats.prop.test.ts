import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { CommandCall } from "../../engine/decision/definition.ts";
import { offerModule, withdrawModule } from "../../processors/catalogue/index.ts";
import {
  cancelRegistration,
  completeRegistration,
  expireOffer,
  lineOpens,
  offerSeats,
  registerWith,
  seatOffer,
  withdraw,
} from "../../processors/seats/index.ts";
import { waitingList } from "../../processors/waiting-list/index.ts";
import { registrations, type RegistrationRow } from "../../projections/registrations/index.ts";
import {
  availableSeats,
  seatAvailability,
  type SeatAvailabilityRow,
} from "../../projections/seat-availability/index.ts";
import { waitingLists, type WaitingListRow } from "../../projections/waiting-lists/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { ModuleHistory } from "./module-history.ts";
import { SeatOracle } from "./seat-oracle.ts";

const limit = 2;
const register = registerWith({ studentModuleLimit: limit, holdMs: 60_000 });
const minuteMs = 60_000;

const codes = ["A", "B"];
const moduleCode = fc.constantFrom(...codes);
const studentId = fc.constantFrom("s1", "s2", "s3", "s4", "s5");
/** Minutes from the beginning; most windows have no bounds. */
const aTime = fc.oneof(
  { weight: 8, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }) },
);

/** A step of a random history; registrations are chosen among those that were given. */
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("offer" as const),
      moduleCode,
      capacity: fc.constantFrom(0, 1, 1, 1, 2, 3),
      feeCents: fc.constantFrom(0, 500),
      opensAt: aTime,
      closesAt: aTime,
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant("register" as const),
      moduleCode,
      studentId,
      waitlist: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom("withdraw", "complete", "cancel", "expire"),
      registration: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("withdraw-module" as const), moduleCode }),
  },
  // The processor and the deadlines lag behind, each by itself; the processor may read twice.
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom("react" as const, "pass" as const),
      atMost: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("offer-seats" as const), moduleCode }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      minutes: fc.integer({ min: 1, max: 16 }),
    }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const ofRegistration: Readonly<Record<string, (id: string) => CommandCall>> = {
  withdraw: (registrationId) => withdraw({ registrationId }),
  complete: (registrationId) => completeRegistration({ registrationId }),
  cancel: (registrationId) => cancelRegistration({ registrationId, reason: "PAYMENT_FAILED" }),
  expire: (registrationId) => expireOffer({ registrationId }),
};

/** A history with the oracle beside it, which sees every fact as it is recorded. */
class Watched {
  readonly history = new ModuleHistory();
  readonly oracle = new SeatOracle();
  readonly #beganMs = this.history.nowMs;
  #seen = 0;

  constructor() {
    const module = { feeCents: 500, opensAt: null, closesAt: null } as const;
    for (const moduleCode of codes) {
      this.take({ kind: "offer", moduleCode, capacity: 1, ...module });
    }
  }

  take(next: Step): void {
    this.#do(next);
    for (const fact of this.history.facts.slice(this.#seen)) this.oracle.apply(fact);
    this.#seen = this.history.facts.length;
  }

  /** All that lags behind catches up, and the time stands still. */
  settle(): void {
    for (let before = -1; before !== this.#seen || this.#isDue();) {
      before = this.#seen;
      this.take({ kind: "react", atMost: Infinity });
      this.take({ kind: "pass", atMost: Infinity });
    }
  }

  #isDue(): boolean {
    return [...this.history.deadlines.values()].some(({ atMs }) => atMs <= this.history.nowMs);
  }

  #do(next: Step): void {
    const { history } = this;
    if (next.kind === "register") return this.#register(next);
    if ("registration" in next) {
      const known = this.oracle.registrations;
      const of = known[next.registration % known.length];
      const call = ofRegistration[next.kind];
      if (of && call) history.do(call(of.registrationId));
      return;
    }
    switch (next.kind) {
      case "offer": {
        const { moduleCode, capacity, feeCents } = next;
        const window = { opensAt: this.#at(next.opensAt), closesAt: this.#at(next.closesAt) };
        history.must(offerModule({ moduleCode, capacity, feeCents, title: "T", ...window }));
        return;
      }
      case "withdraw-module":
        history.must(withdrawModule({ moduleCode: next.moduleCode }));
        return;
      case "offer-seats":
        history.must(offerSeats({ moduleCode: next.moduleCode }));
        return;
      case "react":
        history.react(waitingList, next.atMost);
        return;
      case "pass":
        history.passDeadlines([seatOffer, lineOpens], next.atMost);
        return;
      case "wait":
        history.nowMs += next.minutes * minuteMs;
        return;
    }
  }

  #register(input: Parameters<typeof register>[0]): void {
    const expected = this.oracle.expected(input, this.history.nowMs, limit);
    const decision = this.history.do(register(input));
    if (decision.kind === "refused") return expect(decision.refusal.code).toBe(expected);
    const { status } = decision.answer;
    expect(status === "waiting" ? "waiting" : "seat").toBe(expected);
  }

  #at = (minutes: number | null): number | null =>
    minutes === null ? null : this.#beganMs + minutes * minuteMs;
}

function walked(steps: readonly Step[]): Watched {
  const watched = new Watched();
  for (const next of steps) watched.take(next);
  return watched;
}

/** What the read models should say of what the oracle knows. */
function checkReadModels({ history, oracle }: Watched): void {
  const seats = history.rowsOf(seatAvailability) as ReadonlyMap<string, SeatAvailabilityRow>;
  expect([...seats.keys()].sort()).toEqual([...oracle.modules.keys()].sort());
  for (const [code, row] of seats) {
    const open = oracle.ofModule(code, "any");
    const held = open.filter(({ status }) => status === "held" || status === "offered").length;
    expect(row).toMatchObject({ held, confirmed: oracle.ofModule(code, "completed").length });
    expect(availableSeats(row)).toBe(Math.max(0, oracle.free(code)));
  }
  const rows = history.rowsOf(registrations) as ReadonlyMap<string, RegistrationRow>;
  const statuses = oracle.registrations.map((one) => [one.registrationId, one.status] as const);
  const stored = [...rows].map(([id, { status }]) => [id, status] as const);
  expect(new Map(stored)).toEqual(new Map(statuses));
  const line = [...history.rowsOf(waitingLists).values()] as WaitingListRow[];
  for (const code of codes) {
    const places = line
      .filter((row) => row.moduleCode === code)
      .sort((a, b) => Number(a.turn - b.turn))
      .map(({ registrationId, state }) => [registrationId, state]);
    const expected = oracle
      .ofModule(code, "any")
      .filter((one) => one.status in { waiting: 1, offered: 1 });
    expect(places).toEqual(expected.map(({ registrationId, status }) => [registrationId, status]));
  }
}

const histories = fc.array(step, { minLength: 20, maxLength: 80, size: "max" });

describe("random histories of modules, students, lines, time, and processors that lag", () => {
  it("break no rule of seats at any event, and decide as the oracle does", () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(histories, (steps) => {
        for (const { type } of walked(steps).history.facts) met.add(type.name);
      }),
      { numRuns: 300 },
    );
    expect([...met].sort()).toEqual(moduleEvents.events.map(({ name }) => name as string).sort());
  });

  it("leave the read models that the oracle has", () => {
    fc.assert(
      fc.property(histories, (steps) => {
        const watched = walked(steps);
        checkReadModels(watched);
        watched.settle();
        checkReadModels(watched);
      }),
      { numRuns: 150 },
    );
  });

  it("leave no seat idle while somebody waits, and no offer past its time, once all is quiet", () => {
    fc.assert(
      fc.property(histories, (steps) => {
        const watched = walked(steps);
        watched.settle();
        const { oracle, history } = watched;
        for (const [code, { opensAt, closesAt }] of oracle.modules) {
          const isOpen = history.nowMs >= opensAt && history.nowMs < closesAt;
          const waits = oracle.ofModule(code, "waiting").length > 0;
          expect(isOpen && waits && oracle.free(code) > 0).toBe(false);
        }
        const late = oracle.registrations.filter(
          (one) => one.status === "offered" && one.offerExpiresAt <= history.nowMs,
        );
        expect(late).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("end with every line served or passed, when time goes on", () => {
    fc.assert(
      fc.property(histories, (steps) => {
        const watched = walked(steps);
        for (let rest = 0; rest < 8; rest += 1) {
          watched.settle();
          watched.take({ kind: "wait", minutes: 16 });
        }
        watched.settle();
        expect(watched.oracle.registrations.some(({ status }) => status === "offered")).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});
