import { onTestFinished } from "vitest";

import { MemoryBooks, SandboxProvider, Teller } from "../../connectors/payments/index.ts";
import type { CommandCall } from "../../engine/decision/definition.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { outcomeCommand, payByCard, paymentIdOf } from "../../processors/payments/index.ts";
import { defaultHoldMs, register } from "../../processors/seats/index.ts";
import {
  payments,
  type PaymentRow,
  type PaymentRowStatus,
} from "../../projections/payments/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { availableSeats, seatAvailability } from "../../projections/seat-availability/index.ts";
import { realClock, until } from "../engine/process.ts";
import { University, type UniversityOptions } from "../workflow/university.ts";

export const moduleCode = "MA101";
export const feeCents = 12_000;

/** As long as a seat is held, and longer. */
export const holdMs = defaultHoldMs;
export const tooLongMs = holdMs + 60_000;

/** What is left when nothing moves any more. */
export interface Outcome {
  readonly registration: unknown;
  readonly payment: unknown;
  /** Cents that the sandbox's own books have as charged, and as paid back. */
  readonly chargedCents: number;
  readonly charges: number;
  readonly refundedCents: number;
  readonly availableSeats: number;
}

/** The application with the sandbox as its provider, one module with a fee and one seat. */
export class Campus {
  readonly university: University;
  readonly books: MemoryBooks;
  /** Of the one registration that is made. */
  registrationId = "";

  private constructor(university: University, books: MemoryBooks) {
    this.university = university;
    this.books = books;
  }

  static async open(
    options: Partial<UniversityOptions> & { readonly autoCard?: string } = {},
  ): Promise<Campus> {
    const { autoCard, ...rest } = options;
    const books = new MemoryBooks();
    const now = { nowMs: () => 0 };
    const clock = { nowMs: () => now.nowMs() };
    const provider = new SandboxProvider({ books, clock, autoCard });
    const university = await University.open({ random: new SeededRandom(7), provider, ...rest });
    now.nowMs = () => university.clock.nowMs();
    const campus = new Campus(university, books);
    const teller = campus.#newTeller();
    onTestFinished(async () => {
      await teller[Symbol.asyncDispose]();
      await university[Symbol.asyncDispose]();
    });
    const times = { opensAt: null, closesAt: null };
    await campus.must(
      offerModule({ moduleCode, title: "Algebra", capacity: 1, feeCents, ...times }),
    );
    return campus;
  }

  /** It looks all the time, and sees time stand still. */
  #newTeller(): Teller {
    const nowMs = (): number => this.university.clock.nowMs();
    return new Teller({
      provider: "sandbox",
      books: this.books,
      outcomes: { tell: async (told) => void (await this.must(outcomeCommand(told))) },
      clock: { ...realClock, nowMs },
      pollMs: 5,
      report: () => undefined,
    });
  }

  /** @throws Error when it is not accepted. */
  async must<Answer>(call: CommandCall<Answer>): Promise<Answer> {
    const result = await this.university.command(call);
    if (result.outcome !== "accepted") throw new Error(JSON.stringify(result));
    return result.answer;
  }

  get paymentId(): string {
    return paymentIdOf("REGISTRATION", this.registrationId);
  }

  /** Somebody registers; nothing has heard of it. */
  async register(): Promise<void> {
    const { registrationId } = await this.must(register({ moduleCode, studentId: "ada" }));
    this.registrationId = registrationId;
  }

  async pay(token: string): Promise<void> {
    await this.must(payByCard({ paymentId: this.paymentId, token }));
  }

  async paymentRow(): Promise<PaymentRow> {
    return (await this.university.rows(payments)).get(this.paymentId) as PaymentRow;
  }

  /** Waits, over what is told from outside, and then for quiet. */
  async untilPayment(status: PaymentRowStatus): Promise<void> {
    await until(`the payment is ${status}`, async () => {
      await this.university.publish();
      return (await this.paymentRow()).status === status;
    });
    await this.university.quiet();
  }

  async outcome(): Promise<Outcome> {
    const { university } = this;
    const registration = (await university.rows(registrations)).get(this.registrationId);
    const seats = (await university.rows(seatAvailability)).get(moduleCode) ?? noSeats;
    const charged = (await this.books.charges()).filter(({ refused }) => refused === undefined);
    const refunds = await this.books.refunds();
    return {
      registration: registration?.["status"],
      payment: (await this.paymentRow()).status,
      charges: charged.length,
      chargedCents: sumOf(charged),
      refundedCents: sumOf(refunds),
      availableSeats: availableSeats(seats as SeatRow),
    };
  }
}

type SeatRow = Parameters<typeof availableSeats>[0];

/** Of a module that was withdrawn. */
const noSeats: SeatRow = { capacity: 0, held: 0, confirmed: 0 };

const sumOf = (entries: readonly { readonly amountCents: number }[]): number =>
  entries.reduce((sum, { amountCents }) => sum + amountCents, 0);
