import { describe, expect, it } from "vitest";

import {
  crashPointsOf,
  deadlineCrashPoints,
  effectCrashPoints,
} from "../../engine/crash-points.ts";
import { withdrawModule } from "../../processors/catalogue/index.ts";
import { confirmPayment } from "../../processors/payments/index.ts";
import { withdraw } from "../../processors/seats/index.ts";
import { Campus, feeCents, holdMs, moduleCode, type Outcome, tooLongMs } from "./campus.ts";
import { mortal, quietOverDeath } from "./mortality.ts";

const paid: Outcome = {
  registration: "completed",
  payment: "confirmed",
  charges: 1,
  chargedCents: feeCents,
  refundedCents: 0,
  availableSeats: 0,
};

const nothing = { charges: 0, chargedCents: 0, refundedCents: 0, availableSeats: 1 };
const expired: Outcome = { ...nothing, registration: "cancelled", payment: "expired" };
const refunded: Outcome = {
  ...nothing,
  registration: "cancelled",
  payment: "refunded",
  charges: 1,
  chargedCents: feeCents,
  refundedCents: feeCents,
};

const visits = [1, 2, 3];

describe("a process that dies", () => {
  /** The others are passed at a process' begin and end. */
  const atWork = crashPointsOf.processor.filter((one) => one !== "claimed" && one !== "drained");
  const points = [...atWork, ...effectCrashPoints];
  const cases = points.flatMap((point) => visits.map((visit) => ({ point, visit })));

  it.each(cases)(
    "at $point, visit $visit, charges once and completes",
    async ({ point, visit }) => {
      const { state, diesAt } = mortal(point, visit);
      const campus = await Campus.open({ autoCard: "tok_ok", diesAt });
      await campus.university.quiet();
      await campus.register();
      state.armed = true;
      await quietOverDeath(campus.university, state);
      expect(await campus.outcome()).toEqual(paid);
      // Later visits may not come: the effect is tried once.
      if (visit === 1) expect(state.died).toBe(true);
    },
  );

  it.each(deadlineCrashPoints)(
    "at %s lets the payment expire, and frees the seat",
    async (point) => {
      const { state, diesAt } = mortal(point, 1);
      const campus = await Campus.open({ diesAt });
      await campus.register();
      await campus.university.quiet();
      state.armed = true;
      campus.university.clock.advance(tooLongMs);
      await quietOverDeath(campus.university, state);
      expect(await campus.outcome()).toEqual(expired);
      expect(state.died).toBe(true);
    },
  );
});

describe("a payment", () => {
  /** Registered, and asked to pay. */
  const asked = async (options: Parameters<typeof Campus.open>[0] = {}): Promise<Campus> => {
    const campus = await Campus.open(options);
    await campus.register();
    await campus.university.quiet();
    return campus;
  };

  it("is charged once when its first answers get lost", async () => {
    const campus = await asked();
    await campus.pay("tok_lost_answer");
    await campus.university.quiet();
    expect(await campus.outcome()).toEqual(paid);
    expect(await campus.books.charges()).toMatchObject([{ asked: 3 }]);
  });

  it("charges nothing where no answer comes in time, and its seat is free", async () => {
    const campus = await asked({ effectLimits: { tryTimeoutMs: 50, leaseMs: 100 } });
    await campus.pay("tok_no_answer");
    campus.university.clock.advance(tooLongMs);
    await campus.university.quiet();
    expect(await campus.outcome()).toEqual(expired);
  });

  it("that is made after its time is paid back, and its seat stays free", async () => {
    const campus = await asked();
    await campus.pay("tok_late");
    await campus.university.quiet();
    expect(await campus.outcome()).toMatchObject({ registration: "held", payment: "charging" });
    campus.university.clock.advance(holdMs);
    await campus.university.quiet();
    expect(await campus.outcome()).toMatchObject({
      ...expired,
      charges: 1,
      chargedCents: feeCents,
    });
    campus.university.clock.advance(tooLongMs);
    await campus.untilPayment("refunded");
    expect(await campus.outcome()).toEqual(refunded);
    const { reason } = await campus.paymentRow();
    expect(reason).toBe("LATE");
  });

  it("that is delayed completes when its outcome is told", async () => {
    const campus = await asked();
    await campus.pay("tok_delay_60000");
    await campus.university.quiet();
    campus.university.clock.advance(60_000);
    await campus.untilPayment("confirmed");
    expect(await campus.outcome()).toEqual(paid);
  });

  it("that is told twice counts once", async () => {
    const campus = await asked();
    await campus.pay("tok_duplicate");
    await campus.untilPayment("confirmed");
    const [charge] = await campus.books.charges();
    const again = { paymentId: campus.paymentId, provider: "sandbox", reference: "another" };
    await campus.must(confirmPayment(again));
    await campus.university.quiet();
    expect(charge).toMatchObject({ asked: 1 });
    expect(await campus.outcome()).toEqual(paid);
  });

  it.each(["tok_declined", "tok_insufficient_funds", "nonsense"])(
    "with %s fails, and frees the seat",
    async (token) => {
      const campus = await asked();
      await campus.pay(token);
      await campus.university.quiet();
      const failed = { registration: "cancelled", payment: "failed" };
      expect(await campus.outcome()).toEqual({ ...nothing, ...failed });
    },
  );

  it("is paid back when the student withdraws, before its outcome or after", async () => {
    for (const token of ["tok_delay_60000", "tok_ok"]) {
      const campus = await asked();
      await campus.pay(token);
      await campus.university.quiet();
      await campus.must(withdraw({ registrationId: campus.registrationId }));
      await campus.university.quiet();
      campus.university.clock.advance(60_000);
      await campus.untilPayment("refunded");
      expect(await campus.outcome()).toEqual(refunded);
      expect((await campus.paymentRow()).reason).toBe("WITHDRAWN");
    }
  });

  it("is paid back when its module is withdrawn while it is under way", async () => {
    const campus = await asked();
    await campus.pay("tok_delay_60000");
    await campus.university.quiet();
    await campus.must(withdrawModule({ moduleCode }));
    campus.university.clock.advance(60_000);
    await campus.untilPayment("refunded");
    const { availableSeats: _, ...rest } = await campus.outcome();
    expect(refunded).toMatchObject(rest);
    expect((await campus.paymentRow()).reason).toBe("MODULE_WITHDRAWN");
  });

  it("stays as it is when everything is read again from the beginning", async () => {
    const campus = await asked();
    await campus.pay("tok_ok");
    await campus.university.quiet();
    await campus.must(withdraw({ registrationId: campus.registrationId }));
    await campus.university.quiet();
    const events = (await campus.university.events()).length;
    await campus.university.restartFromZero();
    await campus.university.quiet();
    expect(await campus.university.events()).toHaveLength(events);
    expect(await campus.outcome()).toEqual(refunded);
  });
});
