import { setImmediate as aTurn } from "node:timers/promises";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { SeededRandom } from "../../engine/memory/clock.ts";
import { offerModule, withdrawModule } from "../../processors/catalogue/index.ts";
import { resubmitEnrolment, startEnrolment } from "../../processors/enrolments/index.ts";
import { outcomeCommand, payByCard } from "../../processors/payments/index.ts";
import { register, withdraw } from "../../processors/seats/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { Bank, type Mood, moods } from "./bank.ts";
import { type KnownPayment, LedgerOfSeats } from "./ledger-of-seats.ts";
import { University } from "./university.ts";

type Step =
  | {
      readonly do: "offer";
      readonly module: string;
      readonly capacity: number;
      readonly free: boolean;
    }
  | { readonly do: "withdraw-module"; readonly module: string }
  | {
      readonly do: "register";
      readonly module: string;
      readonly student: string;
      readonly wait: boolean;
    }
  | { readonly do: "enrol"; readonly modules: readonly string[]; readonly student: string }
  | { readonly do: "resubmit"; readonly nth: number }
  | { readonly do: "withdraw"; readonly nth: number }
  | { readonly do: "pay"; readonly nth: number; readonly mood: Mood }
  | { readonly do: "tell" }
  | { readonly do: "minutes"; readonly minutes: number }
  | { readonly do: "publish" }
  | { readonly do: "turns"; readonly turns: number }
  | { readonly do: "quiet" }
  | { readonly do: "kill" }
  | { readonly do: "from-zero" };

const modules = ["MA101", "PH102", "CS103"];
const module = fc.constantFrom(...modules);
const student = fc.constantFrom("ada", "bob", "cyd", "dan");
const nth = fc.nat(30);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("offer" as const),
      module,
      capacity: fc.nat(2),
      free: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("withdraw-module" as const), module }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("register" as const),
      module,
      student,
      wait: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("enrol" as const),
      modules: fc.subarray(modules, { minLength: 1 }),
      student,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("resubmit" as const), nth }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("withdraw" as const), nth }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("pay" as const), nth, mood: fc.constantFrom(...moods) }),
  },
  { weight: 2, arbitrary: fc.constant({ do: "tell" } as const) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("minutes" as const),
      minutes: fc.constantFrom(1, 8, 20),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: "publish" } as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("turns" as const),
      turns: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: "quiet" } as const) },
  { weight: 2, arbitrary: fc.constant({ do: "kill" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "from-zero" } as const) },
);

const minuteMs = 60_000;
const feeCents = 12_000;

/** One course of events: what clients, the bank, time and misfortune do to the application. */
class Course implements AsyncDisposable {
  readonly university: University;
  readonly bank: Bank;

  constructor(university: University, bank: Bank) {
    this.university = university;
    this.bank = bank;
  }

  static async open(seed: number): Promise<Course> {
    const random = new SeededRandom(seed);
    const bank = new Bank(random);
    const repeats = (): boolean => random.next() < 0.1;
    return new Course(await University.open({ random, provider: bank, repeats }), bank);
  }

  async take(step: Step): Promise<void> {
    const { university } = this;
    switch (step.do) {
      case "offer":
        return this.#offer(step);
      case "withdraw-module":
        return void (await university.command(withdrawModule({ moduleCode: step.module })));
      case "register":
        return void (await university.command(
          register({ moduleCode: step.module, studentId: step.student, waitlist: step.wait }),
        ));
      case "enrol":
        return void (await university.command(
          startEnrolment({ studentId: step.student, moduleCodes: step.modules }),
        ));
      case "resubmit":
        return this.#resubmit(step.nth);
      case "withdraw":
        return this.#withdraw(step.nth);
      case "pay":
        return this.#pay(step);
      case "tell":
        return this.tellOne();
      case "minutes":
        return university.clock.advance(step.minutes * minuteMs);
      case "publish":
        return university.publish();
      case "turns":
        // The process gets so far with what it has to do, and what comes next meets it there.
        for (let turn = 0; turn < step.turns; turn += 1) await aTurn();
        return;
      case "quiet":
        return university.quiet();
      case "kill":
        await university.kill();
        return university.start();
      case "from-zero":
        return university.restartFromZero();
    }
  }

  async #offer({
    module: moduleCode,
    capacity,
    free,
  }: Extract<Step, { do: "offer" }>): Promise<void> {
    const offer = { moduleCode, title: moduleCode, capacity, feeCents: free ? 0 : feeCents };
    await this.university.command(offerModule({ ...offer, opensAt: null, closesAt: null }));
  }

  async #withdraw(nth: number): Promise<void> {
    const registrationId = await this.#registration(nth);
    if (registrationId) await this.university.command(withdraw({ registrationId }));
  }

  async #resubmit(nth: number): Promise<void> {
    const { enrolments } = await this.account();
    const enrolmentId = nthOf([...enrolments.keys()], nth);
    if (enrolmentId) await this.university.command(resubmitEnrolment({ enrolmentId }));
  }

  /** Any payment, of a registration or an enrolment, also one that is over. */
  async #pay({ nth, mood }: Extract<Step, { do: "pay" }>): Promise<void> {
    const { payments } = await this.account();
    // Rather one that was asked for lately.
    const paymentId = nthOf([...payments.keys()].toReversed(), nth % 4);
    if (paymentId) await this.university.command(payByCard({ paymentId, token: mood }));
  }

  async #registration(nth: number): Promise<string | undefined> {
    const { registrations } = await this.account();
    return nthOf([...registrations.keys()], nth);
  }

  /** The bank tells what it has promised to tell. */
  async tellOne(): Promise<void> {
    const told = this.bank.untold.shift();
    if (told) await this.university.command(outcomeCommand(told));
  }

  /** Everybody has had the time that there is: deadlines pass, the bank has told everything. */
  async finish(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      while (this.bank.untold.length > 0) await this.tellOne();
      await this.university.quiet();
      this.university.clock.advance(60 * minuteMs);
      await this.university.quiet();
    }
  }

  /** All events, kept by rules that know nothing of the application. */
  async account(): Promise<LedgerOfSeats> {
    const account = new LedgerOfSeats();
    for (const { name, event } of await this.university.decoded()) account.take({ name, event });
    return account;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.university[Symbol.asyncDispose]();
  }
}

const nthOf = (all: readonly string[], nth: number): string | undefined =>
  all[nth % Math.max(1, all.length)];

/** After quiet every hold has ended in one way, and money is where the seat is. */
function assertSettled(account: LedgerOfSeats, bank: Bank): void {
  const paid = new Map<string, KnownPayment>();
  for (const payment of account.payments.values()) {
    expect(payment.ending, "a payment that has no end").not.toBe("open");
    for (const { registrationId } of payment.requested.registrations)
      paid.set(registrationId, payment);
  }
  for (const { registrationId, standing, feeCents: fee } of account.registrations.values()) {
    expect(["held", "offered"]).not.toContain(standing);
    const payment = paid.get(registrationId);
    const refunded = payment?.refunded.has(registrationId) === true;
    // A part that is free is neither charged nor paid back.
    const charged = payment?.ending === "confirmed" && partOf(payment, registrationId) > 0;
    if (standing === "completed") expect([fee > 0, refunded]).toEqual([charged, false]);
    else expect(refunded, `${registrationId}, ${standing}, paid and not refunded`).toBe(charged);
  }
  for (const [code, { capacity, offered }] of account.modules) {
    const { held, confirmed } = account.seats(code);
    expect(held).toBe(0);
    const idle = offered && confirmed < capacity && account.waiting(code).length > 0;
    expect(idle, `a seat of ${code} that nobody is offered`).toBe(false);
  }
  for (const [enrolmentId, { standing, attempt }] of account.enrolments) {
    expect(["completed", "reversed"], `${enrolmentId} has no end`).toContain(standing);
    for (const one of account.registrations.values()) {
      if (one.enrolmentId !== enrolmentId || one.standing === "cancelled") continue;
      expect([one.standing, standing]).toEqual(["completed", "completed"]);
      expect(account.attemptOf(one.registrationId)).toBe(attempt);
    }
  }
  const confirmed = [...account.payments.values()].filter(({ ending }) => ending === "confirmed");
  const charges = [...bank.charges.values()].map(({ paymentId }) => paymentId);
  expect(charges.toSorted()).toEqual(
    confirmed.map(({ requested }) => requested.paymentId).toSorted(),
  );
  const refunds = confirmed.flatMap(({ refunded }) => [...refunded]);
  expect([...bank.refunds.values()].map(({ registrationId }) => registrationId).toSorted()).toEqual(
    refunds.toSorted(),
  );
}

const partOf = ({ requested }: KnownPayment, registrationId: string): number =>
  requested.registrations.find((part) => part.registrationId === registrationId)?.amountCents ?? 0;

async function assertReadModel({ university }: Course, account: LedgerOfSeats): Promise<void> {
  const rows = await university.rows(seatAvailability);
  for (const [code, { capacity, offered }] of account.modules) {
    const expected = offered ? { moduleCode: code, capacity, ...account.seats(code) } : undefined;
    expect(rows.get(code)).toEqual(expected);
  }
}

/** What must have happened in some course, or the courses prove little. */
const mustHappen = [
  "EnrolmentCompleted",
  "EnrolmentResubmitted",
  "EnrolmentReversed",
  "EnrolmentStepCompensated",
  "ModuleCapacityChanged",
  "OnboardingFinished",
  "ModuleWithdrawn",
  "PaymentConfirmed",
  "PaymentDeadlinePassed",
  "PaymentFailed",
  "PaymentRefunded",
  "RegistrationCancelled",
  "RegistrationCompleted",
  "SeatOfferExpired",
  "SeatOffered",
  "WaitlistLeft",
  "a charge after the deadline",
  "an offer that was accepted",
];

const courses = Number(process.env["REFOLD_COURSES"] ?? 20);

test(
  "whatever is asked, paid, repeated and killed: no seat is given twice, and money is where the seat is",
  { timeout: 120_000 },
  async () => {
    const happened = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 40, maxLength: 120, size: "max" }),
        fc.integer(),
        async (steps, seed) => {
          await using course = await Course.open(seed);
          await course.take({ do: "offer", module: "MA101", capacity: 2, free: false });
          for (const one of steps) await course.take(one);
          await course.finish();
          const account = await course.account();
          for (const what of account.happened) happened.add(what);
          assertSettled(account, course.bank);
          await assertReadModel(course, account);
          expect(await course.university.deadLetters.counts()).toEqual([]);
        },
      ),
      {
        numRuns: courses,
        endOnFailure: false,
        interruptAfterTimeLimit: 60_000,
      },
    );
    if (courses >= 40) expect([...happened]).toEqual(expect.arrayContaining(mustHappen));
  },
);
