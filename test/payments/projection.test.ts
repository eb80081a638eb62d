import { expect, it } from "vitest";

import type { Fact } from "../../engine/decision/definition.ts";
import type { AnyRow } from "../../engine/columns.ts";
import type { Page, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { payments, paymentsOfRegistration } from "../../projections/payments/index.ts";
import { foldFacts } from "../app/module-history.ts";
import { dueAtMs, happened, part, paymentId } from "./terms.ts";

const { requested, started, confirmed, failed, passed, refunded } = happened;

function rowAfter(...facts: readonly Fact[]): AnyRow {
  const recorded = facts.map((fact, at) => ({ ...fact, recordedAtMs: 1_000 * (at + 1) }));
  return foldFacts(payments, recorded).get(paymentId) as AnyRow;
}

it("tells what is owed, for what and until when", () => {
  expect(rowAfter(requested)).toEqual({
    paymentId,
    subjectType: "REGISTRATION",
    subjectId: "reg-1",
    studentId: "ada",
    amountCents: 12_000,
    status: "requested",
    refundedCents: 0,
    provider: null,
    reference: null,
    reason: null,
    registrations: [part],
    expiresAt: dueAtMs,
    requestedAt: 1_000,
    endedAt: null,
    refundedAt: null,
  });
});

it("tells how it ended, when, and by whom", () => {
  expect(rowAfter(requested, started)).toMatchObject({ status: "charging", endedAt: null });
  expect(rowAfter(requested, started, confirmed)).toMatchObject({
    status: "confirmed",
    provider: "sandbox",
    reference: "ch-1",
    endedAt: 3_000,
  });
  const refused = { status: "failed", reason: "CARD_DECLINED", endedAt: 2_000 };
  expect(rowAfter(requested, failed)).toMatchObject(refused);
  expect(rowAfter(requested, passed)).toMatchObject({ status: "expired", endedAt: 2_000 });
});

it("calls a charge after the end late, until it is paid back", () => {
  for (const end of [failed, passed]) {
    expect(rowAfter(requested, end, confirmed)).toMatchObject({ status: "late", endedAt: 3_000 });
    expect(rowAfter(requested, end, confirmed, refunded)).toMatchObject({
      status: "refunded",
      refundedCents: 12_000,
      reason: "LATE",
      refundedAt: 4_000,
    });
  }
});

it("tells what part is paid back", () => {
  const some = { ...refunded, event: { ...(refunded.event as object), amountCents: 2_000 } };
  expect(rowAfter(requested, confirmed, some)).toMatchObject({
    status: "partly-refunded",
    refundedCents: 2_000,
  });
});

it("finds the payments that name a registration: its own, or those of its enrolment", async () => {
  const mine = rowAfter(requested);
  const another = { ...mine, registrations: [{ ...part, registrationId: "reg-2" }] };
  const asked: unknown[] = [];
  const reader = {
    find: async (_: string, { where }: { where: AnyRow }) => {
      asked.push(where);
      const rows = [mine, another].map((row) => ({ key: paymentId, row }));
      return { result: { rows, next: undefined } as Page };
    },
  } as unknown as Pick<ReadModelReader, "find">;
  for (const enrolmentId of [null, "en-1"]) {
    const { result } = await paymentsOfRegistration(reader, {
      registrationId: "reg-1",
      enrolmentId,
    });
    expect(result).toEqual([mine]);
  }
  expect(asked).toEqual([{ subjectId: "reg-1" }, { subjectId: "en-1" }]);
});
