import { expect, it, vi } from "vitest";

import { MemoryBooks, SandboxProvider } from "../../connectors/payments/index.ts";
import { TransientError } from "../../engine/errors.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import type { ChargeCard, RefundPart } from "../../processors/payments/index.ts";

const expiresAtMs = 60_000;

function sandbox(autoCard?: string) {
  const books = new MemoryBooks();
  const clock = new ManualClock(1_000);
  return { books, clock, provider: new SandboxProvider({ books, clock, autoCard }) };
}

const charge = (token: string, changes: Partial<ChargeCard> = {}): ChargeCard => ({
  key: "payment.charge/p1",
  paymentId: "p1",
  amountCents: 500,
  studentId: "ada",
  registrationIds: ["r1"],
  expiresAtMs,
  card: { token },
  signal: new AbortController().signal,
  ...changes,
});

const reference = "ch:payment.charge/p1";

it("charges once under a key, and tells the same again", async () => {
  const { provider, books } = sandbox();
  const confirmed = { outcome: "confirmed", reference };
  expect(await provider.charge(charge("tok_ok"))).toEqual(confirmed);
  expect(await provider.charge(charge("tok_declined"))).toEqual(confirmed);
  expect(await books.charges()).toHaveLength(1);
});

it("refuses for good what the card says", async () => {
  const { provider } = sandbox();
  const failed = { outcome: "failed", reason: "INSUFFICIENT_FUNDS" };
  expect(await provider.charge(charge("tok_insufficient_funds"))).toEqual(failed);
  expect(await provider.charge(charge("tok_ok"))).toEqual(failed);
});

it("has charged although its answers are lost, and tells so when it is asked again", async () => {
  const { provider, books } = sandbox();
  for (const _ of [1, 2]) {
    await expect(provider.charge(charge("tok_lost_answer"))).rejects.toThrow(TransientError);
  }
  const answer = await provider.charge(charge("tok_lost_answer"));
  expect(answer).toEqual({ outcome: "confirmed", reference });
  expect(await books.charges()).toHaveLength(1);
});

it("charges nothing where it never answers", async () => {
  const { provider, books } = sandbox();
  const waiting = new AbortController();
  const asked = provider.charge(charge("tok_no_answer", { signal: waiting.signal }));
  waiting.abort();
  await expect(asked).rejects.toThrow(TransientError);
  expect(await books.charges()).toEqual([]);
});

it("charges nothing at or after the time at which the payment is due", async () => {
  const { provider, clock } = sandbox();
  clock.advance(expiresAtMs - 1_000);
  const expired = { outcome: "failed", reason: "PAYMENT_EXPIRED" };
  expect(await provider.charge(charge("tok_ok"))).toEqual(expired);
});

it("tells a charge from before that time also after it", async () => {
  const { provider, clock } = sandbox();
  await provider.charge(charge("tok_ok"));
  clock.advance(expiresAtMs);
  expect(await provider.charge(charge("tok_ok"))).toMatchObject({ outcome: "confirmed" });
});

it("leaves a delayed charge pending until its time, and a late one beyond the payment's", async () => {
  const { provider, clock } = sandbox();
  const late = charge("tok_late", { key: "late" });
  expect(await provider.charge(charge("tok_delay_200"))).toEqual({ outcome: "pending" });
  expect(await provider.charge(late)).toEqual({ outcome: "pending" });
  clock.advance(200);
  expect(await provider.charge(charge("tok_ok"))).toMatchObject({ outcome: "confirmed" });
  expect(await provider.charge(late)).toEqual({ outcome: "pending" });
  clock.advance(expiresAtMs + 1_000);
  expect(await provider.charge(late)).toMatchObject({ outcome: "confirmed" });
});

it("waits for a card, or pays with its own at once", async () => {
  expect(await sandbox().provider.open(charge(""))).toEqual({ outcome: "pending" });
  const paid = await sandbox("tok_ok").provider.open(charge(""));
  expect(paid).toEqual({ outcome: "confirmed", reference });
});

it("asks its books once for what is asked at once", async () => {
  const { provider, books } = sandbox();
  const asked = vi.spyOn(books, "charge");
  const keys = Array.from({ length: 300 }, (_, at) => `k${at}`);
  await Promise.all(keys.map((key) => provider.charge(charge("tok_ok", { key }))));
  expect(asked.mock.calls.map(([entries]) => entries.length)).toEqual([300]);
});

it("pays back what was charged, and gives up what was not", async () => {
  const { provider } = sandbox();
  await provider.charge(charge("tok_ok"));
  const part = (key: string, amountCents: number): RefundPart => ({
    key,
    paymentId: "p1",
    registrationId: "r1",
    studentId: "ada",
    amountCents,
    provider: "sandbox",
    reference,
    reason: "LATE",
    signal: new AbortController().signal,
  });
  expect(await provider.refund(part("r1", 500))).toEqual({ reference: "re:r1" });
  expect(await provider.refund(part("r1", 500))).toEqual({ reference: "re:r1" });
  const more = provider.refund(part("r2", 1));
  await expect(more).rejects.toThrow("0 are left");
  await expect(more).rejects.not.toThrow(TransientError);
});
