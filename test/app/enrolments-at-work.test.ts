import { describe, expect, it } from "vitest";

import { crashPointsOf, deadlineCrashPoints } from "../../engine/crash-points.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import {
  enrolmentPaymentId,
  resubmitEnrolment,
  startEnrolment,
} from "../../processors/enrolments/index.ts";
import { payByCard } from "../../processors/payments/index.ts";
import { type EnrolmentRow, enrolments } from "../../projections/enrolments/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { until } from "../engine/process.ts";
import { Campus, tooLongMs } from "../payments/campus.ts";
import { mortal, quietOverDeath } from "../payments/mortality.ts";

const fees = { CS101: 12_000, MA101: 8_000, PH101: 0 };
const moduleCodes = Object.keys(fees);
const paidCents = 20_000;

type Options = NonNullable<Parameters<typeof Campus.open>[0]>;

/** The whole application at work, with three modules. */
async function opened(options: Options = {}): Promise<Campus> {
  const campus = await Campus.open(options);
  for (const [moduleCode, feeCents] of Object.entries(fees)) {
    const open = { opensAt: null, closesAt: null };
    await campus.must(
      offerModule({ moduleCode, title: moduleCode, capacity: 5, feeCents, ...open }),
    );
  }
  return campus;
}

async function enrolled(campus: Campus): Promise<string> {
  const { enrolmentId } = await campus.must(startEnrolment({ studentId: "ada", moduleCodes }));
  return enrolmentId;
}

const pay = (campus: Campus, id: string, token: string, attempt = 1): Promise<unknown> =>
  campus.must(payByCard({ paymentId: enrolmentPaymentId({ id, attempt }), token }));

async function rowOf({ university }: Campus, id: string): Promise<EnrolmentRow> {
  return (await university.rows(enrolments)).get(id) as EnrolmentRow;
}

/** What is left: the enrolment, its seats, and what the provider's own books say. */
async function outcome(campus: Campus, id: string) {
  const { status, steps, chain } = await rowOf(campus, id);
  const rows = await campus.university.rows(registrations);
  const charged = (await campus.books.charges()).filter(({ refused }) => refused === undefined);
  const refunds = await campus.books.refunds();
  const sumOf = (entries: readonly { readonly amountCents: number }[]): number =>
    entries.reduce((sum, { amountCents }) => sum + amountCents, 0);
  return {
    status,
    steps: new Set(steps.map(({ state }) => state)),
    seats: new Set([...rows.values()].map((row) => row["status"])),
    finished: chain.onboardingFinished !== null,
    charges: charged.length,
    chargedCents: sumOf(charged),
    refundedCents: sumOf(refunds),
  };
}

const completed = {
  status: "completed",
  steps: new Set(["done"]),
  seats: new Set(["completed"]),
  finished: true,
  charges: 1,
  chargedCents: paidCents,
  refundedCents: 0,
};

const reversed = {
  status: "reversed",
  seats: new Set(["cancelled"]),
  finished: false,
  charges: 0,
  chargedCents: 0,
  refundedCents: 0,
};

describe("an enrolment at work", () => {
  const cases = crashPointsOf.processor.flatMap((point) =>
    [1, 3, 6].map((visit) => ({ point, visit })),
  );

  it.each(cases)(
    "is charged once and completed when its process dies at $point, visit $visit",
    async ({ point, visit }) => {
      const { state, diesAt } = mortal(point, visit);
      const campus = await opened({ autoCard: "tok_ok", diesAt });
      await campus.university.quiet();
      const id = await enrolled(campus);
      state.armed = true;
      await quietOverDeath(campus.university, state);
      expect(await outcome(campus, id)).toEqual(completed);
    },
  );

  it.each(deadlineCrashPoints)(
    "is reversed once when nobody pays, and its process dies at %s",
    async (point) => {
      const { state, diesAt } = mortal(point, 1);
      const campus = await opened({ diesAt });
      const id = await enrolled(campus);
      await campus.university.quiet();
      state.armed = true;
      campus.university.clock.advance(tooLongMs);
      await quietOverDeath(campus.university, state);
      expect(state.died).toBe(true);
      expect(await outcome(campus, id)).toMatchObject({
        ...reversed,
        steps: new Set(["compensated", "failed", "pending"]),
      });
    },
  );

  it("is what it was when all is delivered twice, and read again from the beginning", async () => {
    const campus = await opened({ autoCard: "tok_ok", repeats: () => true });
    const id = await enrolled(campus);
    await campus.university.quiet();
    expect(await outcome(campus, id)).toEqual(completed);
    const before = (await campus.university.events()).length;
    await campus.university.restartFromZero();
    await campus.university.quiet();
    expect((await campus.university.events()).length).toBe(before);
    expect(await outcome(campus, id)).toEqual(completed);
  });

  it("is paid back when it is charged too late, and completed when it is resubmitted", async () => {
    const campus = await opened();
    const id = await enrolled(campus);
    await campus.university.quiet();
    await pay(campus, id, "tok_late");
    await campus.university.quiet();
    campus.university.clock.advance(tooLongMs);
    await until("the late charge is undone", async () => {
      await campus.university.publish();
      const { steps } = await rowOf(campus, id);
      return steps.some(({ name, state }) => name === "payment" && state === "compensated");
    });
    await campus.university.quiet();
    const late = { charges: 1, chargedCents: paidCents, refundedCents: paidCents };
    expect(await outcome(campus, id)).toMatchObject({ ...reversed, ...late });
    await campus.must(resubmitEnrolment({ enrolmentId: id }));
    await campus.university.quiet();
    await pay(campus, id, "tok_ok", 2);
    await campus.university.quiet();
    expect(await outcome(campus, id)).toMatchObject({
      status: "completed",
      seats: new Set(["cancelled", "completed"]),
      finished: true,
      charges: 2,
      chargedCents: 2 * paidCents,
      refundedCents: paidCents,
    });
  });

  it("leaves no seat taken when many enrol at once in modules that are too small", async () => {
    const campus = await opened({ autoCard: "tok_ok", random: new SeededRandom(11) });
    const students = Array.from({ length: 12 }, (_, at) => `student-${at}`);
    await Promise.all(
      students.map((studentId) => campus.must(startEnrolment({ studentId, moduleCodes }))),
    );
    await campus.university.quiet();
    const rows = [...(await campus.university.rows(enrolments)).values()];
    const ends = Map.groupBy(rows, (row) => row["status"]);
    expect([ends.get("completed")?.length, ends.get("reversed")?.length]).toEqual([5, 7]);
    const seats = [...(await campus.university.rows(registrations)).values()];
    expect(seats.filter((row) => row["status"] === "completed")).toHaveLength(15);
    expect(seats.filter((row) => row["status"] === "held")).toEqual([]);
  });
});
