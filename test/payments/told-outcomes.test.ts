import { describe, expect, it, onTestFinished } from "vitest";

import { RecordedOutcomes } from "../../bin/system/recorded-outcomes.ts";
import { MemoryBooks, Teller } from "../../connectors/payments/index.ts";
import type { Origin } from "../../engine/decision/outcome.ts";
import { TransientError } from "../../engine/errors.ts";
import type { StoredEffect } from "../../engine/ports/effect-ledger.ts";
import type { ToldOutcome } from "../../processors/payments/index.ts";
import { realClock, until } from "../engine/process.ts";

const confirmed: ToldOutcome = {
  provider: "sandbox",
  paymentId: "p1",
  outcome: "confirmed",
  reference: "ch:k1",
};

describe("the sandbox's teller", () => {
  const entry = {
    key: "k1",
    paymentId: "p1",
    amountCents: 100,
    refused: undefined,
    atMs: 0,
    tellAtMs: 1,
    answersLost: 0,
  };

  async function telling(tell: (outcome: ToldOutcome) => Promise<void>) {
    const books = new MemoryBooks();
    const reports: string[] = [];
    const options = { books, clock: realClock, provider: "sandbox", pollMs: 2, leaseMs: 10 };
    const report = (message: string): void => void reports.push(message);
    const teller = new Teller({ ...options, outcomes: { tell }, report });
    onTestFinished(() => teller[Symbol.asyncDispose]());
    return { books, reports, teller };
  }

  it("tells what is due, once, in the provider's words", async () => {
    const told: ToldOutcome[] = [];
    const { books } = await telling(async (outcome) => void told.push(outcome));
    const refused = { ...entry, key: "k2", paymentId: "p2", refused: "CARD_DECLINED", tellAtMs: 2 };
    await books.charge([entry, refused]);
    await until("both are told", () => told.length >= 2);
    await until("nothing is left to tell", async () =>
      (await books.charges()).every(({ tellAtMs }) => tellAtMs === undefined),
    );
    expect(told).toEqual([
      confirmed,
      { provider: "sandbox", paymentId: "p2", outcome: "failed", reason: "CARD_DECLINED" },
    ]);
  });

  it("tells again what could not be recorded, and says so once", async () => {
    let tries = 0;
    const { books, reports } = await telling(async () => {
      tries += 1;
      if (tries < 4) throw new TransientError("away", "The store is away.");
    });
    await books.charge([entry]);
    await until("it is told", async () => (await books.charges())[0]?.tellAtMs === undefined);
    expect(tries).toBe(4);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toContain("The store is away.");
  });

  it("leaves what it could not tell before it stops for the next one", async () => {
    let asked = false;
    const { books, teller } = await telling(async () => {
      asked = true;
      throw new TransientError("away", "The store is away.");
    });
    await books.charge([entry]);
    await until("it was asked", () => asked);
    await teller[Symbol.asyncDispose]();
    expect((await books.charges())[0]?.tellAtMs).toBeGreaterThan(0);
  });
});

describe("outcomes that are told", () => {
  type Result = "accepted" | "refused" | "held";

  function recording(outcome: Result, opened?: Partial<StoredEffect>) {
    const origins: Origin[] = [];
    const reports: string[] = [];
    const refusal = { code: "payment-unknown", detail: "There is no payment p1." };
    const results = {
      accepted: { outcome: "accepted", answer: undefined, recorded: [], recordedAtMs: 0 },
      refused: { outcome: "refused", refusal, recordedAtMs: 0 },
      held: { outcome: "held", by: "an import" },
    };
    const outcomes = new RecordedOutcomes({
      decider: {
        execute: async (_: unknown, origin: Origin) => {
          origins.push(origin);
          return results[outcome] as never;
        },
      },
      effectLedger: { find: async () => opened as StoredEffect | undefined },
      report: (message) => void reports.push(message),
    });
    return { outcomes, origins, reports };
  }

  it("belong to the business transaction that asked for the payment", async () => {
    const cause = { correlationId: "request-1", causationId: "event-1", traceparent: "00-1-2-01" };
    const { outcomes, origins } = recording("accepted", cause);
    await outcomes.tell(confirmed);
    expect(origins).toEqual([cause]);
  });

  it("of payments that nobody knows are left out, and told", async () => {
    const { outcomes, reports } = recording("refused");
    await outcomes.tell(confirmed);
    expect(reports).toEqual([
      "sandbox tells of payment p1: There is no payment p1. It is left out.",
    ]);
  });

  it("are to be told again while the store is held", async () => {
    const { outcomes } = recording("held");
    await expect(outcomes.tell(confirmed)).rejects.toThrow(TransientError);
  });
});
