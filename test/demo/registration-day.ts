import type { Evidence } from "../../bin/demo/audit/evidence.ts";
import type { LoggedEvent } from "../../bin/demo/audit/log-events.ts";
import { PaymentFold } from "../../bin/demo/audit/payment-fold.ts";
import { prove } from "../../bin/demo/audit/prove.ts";
import { SeatFold } from "../../bin/demo/audit/seat-fold.ts";
import { nothingTold } from "../../bin/demo/crowd/told.ts";

type Told = readonly [type: string, fields: LoggedEvent["fields"]];

const ada = { registrationId: "r-ada", moduleCode: "M1", studentId: "ada" };
const bob = { registrationId: "r-bob", moduleCode: "M1", studentId: "bob" };

const requested = (of: typeof ada) => ({
  paymentId: `p-${of.studentId}`,
  amountCents: 500,
  registrations: [{ registrationId: of.registrationId, amountCents: 500 }],
});

/** One module of two seats: Ada pays and stays, Bob pays and withdraws. */
export const day: {
  readonly seats: readonly Told[];
  readonly payments: readonly Told[];
  readonly evidence: Omit<Evidence, "seats" | "payments" | "told" | "recorded">;
} = {
  seats: [
    ["ModuleOffered", { moduleCode: "M1", capacity: 2, feeCents: 500 }],
    ["ModuleRegistered", { ...ada, feeCents: 500 }],
    ["ModuleRegistered", { ...bob, feeCents: 500 }],
    ["RegistrationCompleted", ada],
    ["RegistrationCompleted", bob],
    ["RegistrationCancelled", bob],
  ],
  payments: [
    ["PaymentRequested", requested(ada)],
    ["PaymentRequested", requested(bob)],
    ["PaymentStarted", { paymentId: "p-ada" }],
    ["PaymentStarted", { paymentId: "p-bob" }],
    ["PaymentConfirmed", { paymentId: "p-ada" }],
    ["PaymentConfirmed", { paymentId: "p-bob" }],
    ["PaymentRefunded", { paymentId: "p-bob", amountCents: 500 }],
  ],
  evidence: {
    charges: [
      { key: "c-ada", paymentId: "p-ada", amountCents: 500 },
      { key: "c-bob", paymentId: "p-bob", amountCents: 500 },
    ],
    refunds: [{ key: "f-bob", reference: "ch:c-bob", amountCents: 500 }],
    seatRows: [{ moduleCode: "M1", capacity: 2, held: 0, confirmed: 1 }],
    registrationRows: [
      { ...ada, status: "completed" },
      { ...bob, status: "cancelled" },
    ],
    deadLetters: 0,
  },
};

type Day = typeof day;

/** What the proof says of a day: the claims that fail, each with what speaks against it. */
export function failuresOf(
  changed: Partial<Omit<Day, "evidence">> & {
    readonly evidence?: Partial<Evidence>;
    readonly told?: (told: Evidence["told"]) => void;
  },
): readonly (readonly [string, readonly string[]])[] {
  const seats = new SeatFold();
  const payments = new PaymentFold();
  for (const event of logged("module-events", changed.seats ?? day.seats)) seats.take(event);
  for (const event of logged("payment-events", changed.payments ?? day.payments)) {
    payments.take(event);
  }
  const told = nothingTold();
  for (const one of [ada, bob]) told.registered.set(one.registrationId, one);
  told.paid.add("p-ada").add("p-bob");
  told.withdrawn.add("r-bob");
  changed.told?.(told);
  const recorded = seats.events + payments.events;
  const evidence = { ...day.evidence, recorded, seats, payments, told, ...changed.evidence };
  return prove(evidence)
    .filter(({ against }) => against.length > 0)
    .map(({ says, against }) => [says, against]);
}

const logged = (topic: string, events: readonly Told[]): readonly LoggedEvent[] =>
  events.map(([type, fields], at) => {
    const place = { topic, partition: 0, offset: at, sequence: at + 1, id: `${topic}-${at}` };
    return { ...place, type, fields };
  });
