import type { GivenEvent } from "../../engine/testing/index.ts";
import { accommodation } from "../../processors/accommodation/index.ts";
import { offerModule, withdrawModule } from "../../processors/catalogue/index.ts";
import {
  enrolment,
  enrolmentPaymentId,
  registrationIdOf,
  resubmitEnrolment,
  startEnrolment,
} from "../../processors/enrolments/index.ts";
import { libraryCard } from "../../processors/library/index.ts";
import { onboarding } from "../../processors/onboarding/index.ts";
import {
  confirmPayment,
  failPayment,
  paymentDue,
  paymentRefund,
  paymentRequests,
  recordRefund,
} from "../../processors/payments/index.ts";
import { registrationSaga } from "../../processors/registration-saga/index.ts";
import { lineOpens, seatOffer } from "../../processors/seats/index.ts";
import { type EnrolmentRow, enrolments } from "../../projections/enrolments/index.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import { World } from "../saga/world.ts";
import { foldFacts } from "./module-history.ts";

const provider = "by-hand";

/** The application's decisions about enrolments, and a provider of payments that is a hand. */
export class EnrolmentStage {
  readonly world = new World({
    processors: [
      enrolment.processor,
      registrationSaga,
      paymentRequests,
      libraryCard,
      accommodation,
      onboarding,
    ],
    deadlines: [enrolment.deadline, paymentDue, seatOffer, lineOpens],
  });
  readonly #refunded = new Set<string>();

  offer(moduleCode: string, feeCents: number, capacity = 10): void {
    const open = { opensAt: null, closesAt: null };
    const module = { moduleCode, title: moduleCode, capacity, feeCents, ...open };
    this.world.must(offerModule(module));
  }

  withdrawModule(moduleCode: string): void {
    this.world.must(withdrawModule({ moduleCode }));
  }

  /** Starts it, and lets everybody react. */
  enrol(studentId: string, ...moduleCodes: readonly string[]): string {
    const { enrolmentId } = this.world.must(startEnrolment({ studentId, moduleCodes }));
    this.settle();
    return enrolmentId;
  }

  resubmit(enrolmentId: string): void {
    this.world.must(resubmitEnrolment({ enrolmentId }));
    this.settle();
  }

  settle(): void {
    this.world.nowMs += 1_000;
    this.world.settle();
  }

  charge(id: string, attempt = 1): void {
    const paymentId = enrolmentPaymentId({ id, attempt });
    this.world.must(confirmPayment({ paymentId, provider, reference: `ch-${paymentId}` }));
    this.settle();
  }

  refuse(id: string, attempt = 1): void {
    const paymentId = enrolmentPaymentId({ id, attempt });
    this.world.must(failPayment({ paymentId, provider, reason: "CARD_DECLINED" }));
    this.settle();
  }

  /** Pays back what is to be paid back, and tells it. */
  payBack(): void {
    for (const { key, kind, input } of this.world.effects.values()) {
      if (kind !== paymentRefund.kind || this.#refunded.has(key)) continue;
      this.#refunded.add(key);
      const { paymentId, registrationId, reason } = input as Refund;
      const reference = `re-${registrationId}`;
      const told = { paymentId, registrationId, provider, reference, reason };
      this.world.must(recordRefund(told));
    }
    this.settle();
  }

  get refunds(): readonly Refund[] {
    return [...this.world.effects.values()]
      .filter(({ kind }) => kind === paymentRefund.kind)
      .map(({ input }) => input as Refund);
  }

  registrationId(id: string, moduleCode: string, attempt = 1): string {
    return registrationIdOf({ id, attempt }, moduleCode);
  }

  row(enrolmentId: string): EnrolmentRow {
    const facts = this.world.facts.map((fact, at) => {
      return { ...fact, recordedAtMs: this.world.recordedAtMs[at] ?? 0 };
    });
    return foldFacts(enrolments, facts).get(enrolmentId) as EnrolmentRow;
  }

  /** `name: state` of each step. */
  steps(enrolmentId: string): string[] {
    return this.row(enrolmentId).steps.map(({ name, state }) => `${name}: ${state}`);
  }

  /** What the enrolment's own events say, in short. */
  story(): string[] {
    return this.world.facts
      .filter(({ topic }) => topic.name === enrolmentEvents.name)
      .map(({ type, event }) => {
        const { step } = event as { readonly step?: string };
        const name = type.name.replace(/^Enrolment/, "");
        return step === undefined ? name : `${name} ${step}`;
      });
  }
}

interface Refund {
  readonly paymentId: string;
  readonly registrationId: string;
  readonly amountCents: number;
  readonly reason: string;
}

/** Enrolments that end in every way, with what follows them. */
export function enrolmentFacts(): readonly GivenEvent[] {
  const stage = new EnrolmentStage();
  for (const code of ["F1", "F2"]) stage.offer(code, 0);
  for (const code of ["P1", "P2"]) stage.offer(code, 12_000);
  stage.offer("FULL", 0, 0);
  stage.enrol("ada", "F1", "F2");
  const declined = stage.enrol("bob", "P1", "P2");
  stage.refuse(declined);
  stage.enrol("kim", "F1", "FULL");
  stage.resubmit(declined);
  const paid = stage.enrol("eve", "F1", "P1");
  stage.withdrawModule("P2");
  stage.charge(declined, 2);
  stage.charge(paid);
  stage.payBack();
  const late = stage.enrol("lea", "P1");
  stage.world.passDeadline();
  stage.settle();
  stage.charge(late);
  stage.payBack();
  const { facts, recordedAtMs } = stage.world;
  return facts
    .map(({ topic, type, event }, at) => ({
      topic,
      type,
      event,
      recordedAtMs: recordedAtMs[at] ?? 0,
    }))
    .filter(({ topic }) => topic.name === enrolmentEvents.name);
}
