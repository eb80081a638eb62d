import { describe, expect, it } from "vitest";

import type {
  ChargeEntry,
  RefundEntry,
  SandboxBooks,
} from "../../connectors/payments/sandbox/books.ts";
import { referenceOf } from "../../connectors/payments/sandbox/books.ts";

const charge = (key: string, changes: Partial<ChargeEntry> = {}): ChargeEntry => ({
  key,
  paymentId: `pay-${key}`,
  amountCents: 1_000,
  refused: undefined,
  atMs: 5_000,
  tellAtMs: undefined,
  answersLost: 0,
  ...changes,
});

const refund = (key: string, of: string, amountCents: number): RefundEntry => ({
  key,
  reference: referenceOf(of),
  amountCents,
});

/** What books of the sandbox promise, wherever they are. */
export function sandboxBooksSuite(open: () => Promise<SandboxBooks>): void {
  describe("charges", () => {
    it("books one charge under a key, however often and however different it is asked", async () => {
      const books = await open();
      const refused = charge("a", { refused: "CARD_DECLINED", amountCents: 9 });
      const [first] = await books.charge([charge("a")]);
      const [second] = await books.charge([refused]);
      expect(first).toEqual({ ...charge("a"), asked: 1 });
      expect(second).toEqual({ ...charge("a"), asked: 2 });
      expect(await books.charges()).toEqual([{ ...charge("a"), asked: 2 }]);
    });

    it("answers in the order of the entries, also where a key comes twice", async () => {
      const books = await open();
      const answers = await books.charge([charge("b"), charge("a"), charge("b")]);
      expect(answers.map(({ key }) => key)).toEqual(["b", "a", "b"]);
      expect(await books.charges()).toHaveLength(2);
    });

    it("books each key once when many ask for the same at once", async () => {
      const books = await open();
      const keys = Array.from({ length: 20 }, (_, at) => charge(`k${at}`));
      await Promise.all([keys, keys.toReversed(), keys].map((some) => books.charge(some)));
      const booked = await books.charges();
      expect(booked).toHaveLength(20);
      expect(new Set(booked.map(({ asked }) => asked))).toEqual(new Set([3]));
    });
  });

  describe("refunds", () => {
    it("pays back once under a key, and never more than was charged", async () => {
      const books = await open();
      await books.charge([charge("a")]);
      const some = refund("r1", "a", 700);
      expect(await books.refund([some, some])).toEqual([
        { outcome: "refunded", reference: "re:r1" },
        { outcome: "refunded", reference: "re:r1" },
      ]);
      const [tooMuch, rest] = await books.refund([refund("r2", "a", 301), refund("r3", "a", 300)]);
      expect(tooMuch).toMatchObject({ outcome: "refused" });
      expect(rest).toEqual({ outcome: "refunded", reference: "re:r3" });
      expect(await books.refunds()).toEqual([some, refund("r3", "a", 300)]);
    });

    it("pays nothing back of what was refused, or was never asked for", async () => {
      const books = await open();
      await books.charge([charge("a", { refused: "CARD_DECLINED" })]);
      const answers = await books.refund([refund("r1", "a", 1), refund("r2", "b", 1)]);
      expect(answers.map(({ outcome }) => outcome)).toEqual(["refused", "refused"]);
      expect(await books.refunds()).toEqual([]);
    });

    it("pays back one of several that race for the same rest", async () => {
      const books = await open();
      await books.charge([charge("a")]);
      const answers = await Promise.all(
        ["r1", "r2", "r3"].map((key) => books.refund([refund(key, "a", 600)])),
      );
      const outcomes = answers.flat().map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === "refunded")).toHaveLength(1);
    });
  });

  describe("what is to be told", () => {
    it("is given when it is due, the earliest first", async () => {
      const books = await open();
      const told = (key: string, atMs: number) => charge(key, { atMs, tellAtMs: atMs });
      await books.charge([told("late", 9_000), told("b", 3_000), told("a", 4_000), charge("c")]);
      const ask = { nowMs: 4_000, leaseMs: 500, limit: 10 };
      expect((await books.due(ask)).map(({ key }) => key)).toEqual(["b", "a"]);
    });

    it("is given to one of two callers at once", async () => {
      const books = await open();
      const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
      await books.charge(keys.map((key) => charge(key, { atMs: 1_000, tellAtMs: 1_000 })));
      const ask = { nowMs: 4_000, leaseMs: 500, limit: 100 };
      const taken = (await Promise.all([books.due(ask), books.due(ask)])).flat();
      expect(new Set(taken.map(({ key }) => key))).toEqual(new Set(keys));
      expect(taken).toHaveLength(keys.length);
    });

    it("is due again after the lease, until it is told", async () => {
      const books = await open();
      await books.charge([charge("a", { atMs: 1_000, tellAtMs: 1_000 })]);
      const ask = { leaseMs: 500, limit: 10 };
      expect(await books.due({ nowMs: 1_000, ...ask })).toHaveLength(1);
      expect(await books.due({ nowMs: 1_499, ...ask })).toHaveLength(0);
      expect(await books.due({ nowMs: 1_500, ...ask })).toHaveLength(1);
      await books.told(["a"]);
      expect(await books.due({ nowMs: 9_000, ...ask })).toHaveLength(0);
    });
  });
}
