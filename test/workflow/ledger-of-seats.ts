import type {
  ModuleCapacityChanged,
  ModuleOffered,
  ModuleRegistered,
  PaymentRefunded,
  PaymentRequested,
  RegistrationCancelled,
  SeatOffered,
  WaitlistJoined,
} from "../../schemas/index.ts";
import { application } from "../../bin/system/definitions.ts";

/** Where a registration stands, by its events alone. */
export type Standing =
  "waiting" | "offered" | "held" | "completed" | "cancelled" | "expired" | "left";

export interface KnownRegistration {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  readonly enrolmentId: string | null;
  readonly feeCents: number;
  readonly standing: Standing;
}

export interface KnownPayment {
  readonly requested: PaymentRequested;
  readonly ending: "open" | "confirmed" | "failed" | "expired";
  readonly refunded: ReadonlySet<string>;
  /** It was confirmed after its deadline had passed. */
  readonly late: boolean;
}

export interface KnownEnrolment {
  readonly standing: "running" | "completed" | "reversed";
  readonly attempt: number;
}

interface KnownModule {
  capacity: number;
  offered: boolean;
  readonly line: string[];
}

const active: ReadonlySet<Standing> = new Set(["waiting", "offered", "held", "completed"]);
const taking: ReadonlySet<Standing> = new Set(["offered", "held", "completed"]);

interface Told {
  readonly name: string;
  readonly event: unknown;
}

/**
 * An account of seats and payments that is kept event by event, by rules of its own: it knows
 * nothing of the application's models, and throws at the first event that breaks an invariant.
 */
export class LedgerOfSeats {
  readonly registrations = new Map<string, KnownRegistration>();
  readonly payments = new Map<string, KnownPayment>();
  readonly enrolments = new Map<string, KnownEnrolment>();
  readonly modules = new Map<string, KnownModule>();
  /** Names of the events, and of what is remarkable about some. */
  readonly happened = new Set<string>();
  readonly #attempts = new Map<string, number>();
  #at = 0;

  take({ name, event }: Told): void {
    this.#at += 1;
    this.happened.add(name);
    const fold = this.#folds[name];
    if (fold !== undefined) fold(event as never);
    else if (!known.has(name)) this.#broken(`an event of an unknown type, ${name}`);
  }

  readonly #folds: Readonly<Record<string, (event: never) => void>> = {
    ModuleOffered: ({ moduleCode, capacity }: ModuleOffered) => {
      const before = this.modules.get(moduleCode);
      this.modules.set(moduleCode, { capacity, offered: true, line: before?.line ?? [] });
    },
    ModuleCapacityChanged: ({ moduleCode, capacity }: ModuleCapacityChanged) => {
      this.#module(moduleCode).capacity = capacity;
    },
    ModuleWithdrawn: ({ moduleCode }: { moduleCode: string }) => {
      this.#module(moduleCode).offered = false;
    },
    WaitlistJoined: (event: WaitlistJoined) => {
      this.#begin({ ...event, enrolmentId: null, feeCents: 0 }, "waiting");
      this.#module(event.moduleCode).line.push(event.registrationId);
    },
    SeatOffered: (event: SeatOffered) => {
      const { moduleCode, registrationId } = event;
      const first = this.#module(moduleCode).line.shift();
      if (first !== registrationId) this.#broken(`an offer to ${registrationId} before ${first}`);
      this.#assertFree(moduleCode);
      this.#move(registrationId, ["waiting"], "offered");
    },
    SeatOfferExpired: ({ registrationId }: { registrationId: string }) =>
      this.#move(registrationId, ["offered"], "expired"),
    WaitlistLeft: ({ registrationId, moduleCode, offered }: Left) => {
      const { line } = this.#module(moduleCode);
      if (line.includes(registrationId)) line.splice(line.indexOf(registrationId), 1);
      this.#move(registrationId, [offered ? "offered" : "waiting"], "left");
    },
    ModuleRegistered: (event: ModuleRegistered) => this.#register(event),
    RegistrationCompleted: ({ registrationId }: { registrationId: string }) =>
      this.#move(registrationId, ["held"], "completed"),
    RegistrationCancelled: ({ registrationId, seat }: RegistrationCancelled) =>
      this.#move(registrationId, [seat === "HELD" ? "held" : "completed"], "cancelled"),
    PaymentRequested: (requested: PaymentRequested) => {
      const { paymentId, amountCents, registrations } = requested;
      if (this.payments.has(paymentId)) this.#broken(`a second request of ${paymentId}`);
      const parts = registrations.reduce((sum, part) => sum + part.amountCents, 0);
      if (parts !== amountCents)
        this.#broken(`${paymentId} of ${amountCents} in parts of ${parts}`);
      this.payments.set(paymentId, { requested, ending: "open", refunded: new Set(), late: false });
    },
    PaymentConfirmed: ({ paymentId }: { paymentId: string }) => {
      const payment = this.#payment(paymentId);
      if (payment.ending === "confirmed") this.#broken(`a second charge of ${paymentId}`);
      const late = payment.ending !== "open";
      if (late) this.happened.add("a charge after the deadline");
      this.payments.set(paymentId, { ...payment, ending: "confirmed", late });
    },
    PaymentFailed: ({ paymentId }: { paymentId: string }) => this.#endPayment(paymentId, "failed"),
    PaymentDeadlinePassed: ({ paymentId }: { paymentId: string }) =>
      this.#endPayment(paymentId, "expired"),
    PaymentRefunded: (event: PaymentRefunded) => this.#refund(event),
    EnrolmentStarted: ({ enrolmentId }: { enrolmentId: string }) =>
      void this.enrolments.set(enrolmentId, { standing: "running", attempt: 1 }),
    EnrolmentResubmitted: ({ enrolmentId }: { enrolmentId: string }) => {
      const known = this.enrolments.get(enrolmentId);
      if (known?.standing !== "reversed") this.#broken("a resubmission too early");
      this.enrolments.set(enrolmentId, { standing: "running", attempt: known.attempt + 1 });
    },
    EnrolmentCompleted: ({ enrolmentId }: { enrolmentId: string }) =>
      this.#endEnrolment(enrolmentId, "completed"),
    EnrolmentReversed: ({ enrolmentId }: { enrolmentId: string }) =>
      this.#endEnrolment(enrolmentId, "reversed"),
  };

  /** Seats that are held, offers included, and those that are confirmed. */
  seats(moduleCode: string): { readonly held: number; readonly confirmed: number } {
    const own = this.#of(moduleCode);
    const confirmed = own.filter(({ standing }) => standing === "completed").length;
    return {
      held: own.filter(({ standing }) => taking.has(standing)).length - confirmed,
      confirmed,
    };
  }

  /** Of its enrolment, the attempt that it belongs to. */
  attemptOf(registrationId: string): number | undefined {
    return this.#attempts.get(registrationId);
  }

  waiting(moduleCode: string): readonly string[] {
    return this.#module(moduleCode).line;
  }

  #register(event: ModuleRegistered): void {
    const { registrationId, moduleCode, acceptedOffer } = event;
    if (acceptedOffer) {
      this.happened.add("an offer that was accepted");
      this.#move(registrationId, ["offered"], "held");
      const { feeCents } = event;
      const known = this.registrations.get(registrationId) as KnownRegistration;
      this.registrations.set(registrationId, { ...known, feeCents });
      return;
    }
    this.#assertFree(moduleCode);
    const { enrolmentId } = event;
    const attempt = enrolmentId === null ? undefined : this.enrolments.get(enrolmentId)?.attempt;
    if (attempt !== undefined) this.#attempts.set(registrationId, attempt);
    this.#begin(event, "held");
  }

  #begin(event: Omit<KnownRegistration, "standing">, standing: Standing): void {
    const { registrationId, moduleCode, studentId, enrolmentId, feeCents } = event;
    if (this.registrations.has(registrationId)) this.#broken(`a second ${registrationId}`);
    const module = this.#module(moduleCode);
    if (!module.offered) this.#broken(`${registrationId} in ${moduleCode}, which isn't on offer`);
    const rival = this.#of(moduleCode).find(
      (one) => one.studentId === studentId && active.has(one.standing),
    );
    if (rival) this.#broken(`${registrationId} beside ${rival.registrationId} of one student`);
    const known = { registrationId, moduleCode, studentId, enrolmentId, feeCents, standing };
    this.registrations.set(registrationId, known);
  }

  #move(registrationId: string, from: readonly Standing[], to: Standing): void {
    const known = this.registrations.get(registrationId);
    if (!known || !from.includes(known.standing)) {
      this.#broken(`${registrationId} is ${known?.standing ?? "unknown"}, and became ${to}`);
    }
    this.registrations.set(registrationId, { ...known, standing: to });
  }

  #refund({ paymentId, registrations, amountCents }: PaymentRefunded): void {
    const payment = this.#payment(paymentId);
    if (payment.ending !== "confirmed") this.#broken(`a refund of ${paymentId}, never charged`);
    const refunded = new Set(payment.refunded);
    for (const { registrationId } of registrations) {
      const part = payment.requested.registrations.find(
        (one) => one.registrationId === registrationId,
      );
      if (!part || refunded.has(registrationId)) this.#broken(`a refund of ${registrationId}`);
      if (part.amountCents !== amountCents) this.#broken(`${amountCents} for ${part.amountCents}`);
      refunded.add(registrationId);
    }
    this.payments.set(paymentId, { ...payment, refunded });
  }

  #endPayment(paymentId: string, ending: "failed" | "expired"): void {
    const payment = this.#payment(paymentId);
    if (payment.ending !== "open") this.#broken(`${paymentId} ${ending} after ${payment.ending}`);
    this.payments.set(paymentId, { ...payment, ending });
  }

  #endEnrolment(enrolmentId: string, standing: KnownEnrolment["standing"]): void {
    const known = this.enrolments.get(enrolmentId);
    if (known?.standing !== "running") this.#broken(`${enrolmentId} ${standing} twice`);
    this.enrolments.set(enrolmentId, { ...known, standing });
  }

  #assertFree(moduleCode: string): void {
    const { held, confirmed } = this.seats(moduleCode);
    const { capacity } = this.#module(moduleCode);
    if (held + confirmed >= capacity) this.#broken(`a seat of ${moduleCode} that isn't free`);
  }

  #of(moduleCode: string): KnownRegistration[] {
    return [...this.registrations.values()].filter((one) => one.moduleCode === moduleCode);
  }

  #module(moduleCode: string): KnownModule {
    return this.modules.get(moduleCode) ?? this.#broken(`${moduleCode}, never offered`);
  }

  #payment(paymentId: string): KnownPayment {
    return this.payments.get(paymentId) ?? this.#broken(`${paymentId}, never requested`);
  }

  #broken(what: string): never {
    throw new Error(`Event ${this.#at} breaks an invariant: ${what}.`);
  }
}

interface Left {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly offered: boolean;
}

const known: ReadonlySet<string> = new Set(
  application.eventTopics.flatMap(({ events }) => events.map(({ name }) => name)),
);
