import {
  type BookedCharge,
  type BookedRefund,
  type ChargeEntry,
  type RefundEntry,
  type SandboxBooks,
} from "./books.ts";
import { judgeRefunds } from "./refund-entries.ts";

/** The books in memory, for tests: they outlive whoever asks. */
export class MemoryBooks implements SandboxBooks {
  readonly #charges = new Map<string, BookedCharge>();
  readonly #refunds = new Map<string, RefundEntry>();

  async charge(entries: readonly ChargeEntry[]): Promise<readonly BookedCharge[]> {
    return entries.map((entry) => {
      const known = this.#charges.get(entry.key);
      const booked = { ...entry, ...known, asked: (known?.asked ?? 0) + 1 };
      this.#charges.set(entry.key, booked);
      return booked;
    });
  }

  async refund(entries: readonly RefundEntry[]): Promise<readonly BookedRefund[]> {
    const charged = [...this.#charges].filter(([, { refused }]) => refused === undefined);
    const refunds = [...this.#refunds.values()];
    const { answers, made } = judgeRefunds(entries, { charges: new Map(charged), refunds });
    for (const refund of made) this.#refunds.set(refund.key, refund);
    return answers;
  }

  async due({ nowMs, leaseMs, limit }: Parameters<SandboxBooks["due"]>[0]) {
    const due = [...this.#charges.values()]
      .filter(({ tellAtMs = Number.POSITIVE_INFINITY }) => tellAtMs <= nowMs)
      .sort((one, other) => (one.tellAtMs ?? 0) - (other.tellAtMs ?? 0))
      .slice(0, limit);
    for (const charge of due) {
      this.#charges.set(charge.key, { ...charge, tellAtMs: nowMs + leaseMs });
    }
    return due;
  }

  async told(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const charge = this.#charges.get(key);
      if (charge) this.#charges.set(key, { ...charge, tellAtMs: undefined });
    }
  }

  async charges(): Promise<readonly BookedCharge[]> {
    return [...this.#charges.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  async refunds(): Promise<readonly RefundEntry[]> {
    return [...this.#refunds.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
  }
}
