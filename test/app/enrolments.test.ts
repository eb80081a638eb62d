import { describe, expect, it } from "vitest";

import { given } from "../../engine/decision/given.ts";
import { givenSaga } from "../../engine/testing/index.ts";
import {
  enrolment,
  enrolmentModulesMax,
  startEnrolment,
} from "../../processors/enrolments/index.ts";
import { roomOf } from "../../processors/accommodation/index.ts";
import { cardNumberOf } from "../../processors/library/index.ts";
import { withdraw } from "../../processors/seats/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { moduleEvents, paymentEvents } from "../../schemas/topics.ts";
import { EnrolmentStage } from "./enrolment-stage.ts";
import { foldFacts } from "./module-history.ts";

function staged(): EnrolmentStage {
  const stage = new EnrolmentStage();
  stage.offer("CS101", 12_000);
  stage.offer("MA101", 8_000);
  stage.offer("FREE", 0);
  return stage;
}

/** How each registration of the stage stands: `module: status`. */
function registrationsOf({ world }: EnrolmentStage): string[] {
  const facts = world.facts.map((one, at) => {
    return { ...one, recordedAtMs: world.recordedAtMs[at] ?? 0 };
  });
  const rows = [...foldFacts(registrations, facts).values()];
  return rows.map((row) => {
    const { moduleCode, status } = row as { moduleCode: string; status: string };
    return `${moduleCode}: ${status}`;
  });
}

const codeOf = (moduleCodes: readonly string[]): string => {
  const { decision } = given([]).when(startEnrolment({ studentId: "ada", moduleCodes }));
  return decision.kind === "refused" ? decision.refusal.code : "accepted";
};

describe("startEnrolment", () => {
  it("refuses no modules, the same twice, and more than ten", () => {
    expect(codeOf([])).toBe("enrolment-modules-invalid");
    expect(codeOf(["CS101", "CS101"])).toBe("enrolment-modules-invalid");
    const many = Array.from({ length: enrolmentModulesMax + 1 }, (_, at) => `M${at}`);
    expect(codeOf(many)).toBe("enrolment-modules-invalid");
  });

  it("refuses modules that are not on offer, naming them", () => {
    const stage = staged();
    stage.withdrawModule("MA101");
    const decision = stage.world.do(
      startEnrolment({ studentId: "ada", moduleCodes: ["CS101", "MA101", "XX"] }),
    );
    expect(decision).toMatchObject({
      refusal: { code: "module-unknown", detail: "Not on offer: MA101, XX." },
    });
  });
});

describe("an enrolment's stages", () => {
  const input = { studentId: "ada", moduleCodes: ["CS101", "MA101"] };
  const started = { kind: "started", id: "e1", input } as const;
  const reserved = (step: string, feeCents: number) => {
    const data = { registrationId: step, paymentId: null, feeCents };
    return { kind: "stepDone", step, attempt: 1, data } as const;
  };

  it("reserve all modules, take a payment where one has a fee, and confirm all", () => {
    givenSaga(enrolment, [started]).then("do reserve/CS101", "do reserve/MA101");
    const free = [started, reserved("reserve/CS101", 0), reserved("reserve/MA101", 0)];
    givenSaga(enrolment, free).then("do confirm/CS101", "do confirm/MA101");
    const paid = [started, reserved("reserve/CS101", 0), reserved("reserve/MA101", 1)];
    givenSaga(enrolment, paid).then("do payment");
    expect(() => givenSaga(enrolment, paid).then("complete")).toThrow(
      "enrolment goes on otherwise",
    );
  });
});

describe("an enrolment", () => {
  it("reserves a seat in each module, asks for one payment of all, and then waits", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101", "MA101", "FREE");
    expect(stage.steps(id)).toEqual([
      "reserve/CS101: done",
      "reserve/MA101: done",
      "reserve/FREE: done",
      "payment: started",
      "confirm/CS101: pending",
      "confirm/MA101: pending",
      "confirm/FREE: pending",
    ]);
    expect(stage.world.names(paymentEvents)).toEqual(["PaymentRequested"]);
    const requested = stage.world.facts.find(({ topic }) => topic.name === paymentEvents.name);
    expect(requested?.event).toMatchObject({
      subjectType: "ENROLMENT",
      subjectId: id,
      amountCents: 20_000,
      registrations: [
        { moduleCode: "CS101", amountCents: 12_000 },
        { moduleCode: "MA101", amountCents: 8_000 },
        { moduleCode: "FREE", amountCents: 0 },
      ],
    });
    expect(registrationsOf(stage)).toEqual(["CS101: held", "MA101: held", "FREE: held"]);
    const payment = stage.row(id).steps.find(({ name }) => name === "payment");
    const { startedAt, dueAt, attempts, endedAt } = payment ?? {};
    expect({ due: (dueAt ?? 0) - (startedAt ?? 0), attempts, endedAt }).toEqual({
      due: 16 * 60_000,
      attempts: 1,
      endedAt: null,
    });
  });

  it("is completed once it is paid, and the chain follows, each after the other", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101", "FREE");
    stage.charge(id);
    expect(registrationsOf(stage)).toEqual(["CS101: completed", "FREE: completed"]);
    expect(stage.story()).toEqual([
      "Started",
      "StepDone reserve/CS101",
      "StepDone reserve/FREE",
      "StepStarted payment",
      "StepDone payment",
      "StepDone confirm/CS101",
      "StepDone confirm/FREE",
      "Completed",
      "LibraryCardIssued",
      "AccommodationOffered",
      "OnboardingFinished",
    ]);
    const { status, chain } = stage.row(id);
    expect({ status, chain }).toMatchObject({
      status: "completed",
      chain: {
        libraryCard: { cardNumber: cardNumberOf("ada") },
        accommodation: roomOf("ada"),
        onboardingFinished: { at: expect.any(Number) as number },
      },
    });
    expect(stage.world.deadlines).toEqual([]);
  });

  it("is completed at once, without a payment, where nothing costs anything", () => {
    const stage = staged();
    const id = stage.enrol("ada", "FREE");
    expect(stage.world.names(paymentEvents)).toEqual([]);
    expect(stage.row(id).status).toBe("completed");
    expect(stage.steps(id)).toEqual(["reserve/FREE: done", "confirm/FREE: done"]);
  });

  it("gives up what it reserved, the last first, when a module is full", () => {
    const stage = staged();
    stage.offer("FULL", 100, 0);
    const id = stage.enrol("ada", "CS101", "MA101", "FULL", "FREE");
    expect(stage.story()).toEqual([
      "Started",
      "StepDone reserve/CS101",
      "StepDone reserve/MA101",
      "StepFailed reserve/FULL",
      "StepCompensated reserve/MA101",
      "StepCompensated reserve/CS101",
      "Reversed",
    ]);
    expect(registrationsOf(stage)).toEqual(["CS101: cancelled", "MA101: cancelled"]);
    const { status, reason, attempt } = stage.row(id);
    expect({ status, reason, attempt }).toEqual({
      status: "reversed",
      reason: "module-full",
      attempt: 1,
    });
    expect(stage.world.names(paymentEvents)).toEqual([]);
  });

  it.each([
    ["is refused", (stage: EnrolmentStage, id: string) => stage.refuse(id), "CARD_DECLINED"],
    [
      "doesn't come in time",
      (stage: EnrolmentStage) => {
        stage.world.passDeadline();
        stage.settle();
      },
      "PAYMENT_TIMED_OUT",
    ],
  ])("frees the seats when the payment %s", (_, end, reason) => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101", "MA101");
    end(stage, id);
    expect(stage.row(id)).toMatchObject({ status: "reversed", reason });
    expect(registrationsOf(stage)).toEqual(["CS101: cancelled", "MA101: cancelled"]);
    expect(stage.refunds).toEqual([]);
    expect(stage.world.deadlines).toEqual([]);
  });

  it("fails the payment step by its own deadline where payments don't answer at all", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101");
    const [, saga] = stage.world.deadlines.toSorted((one, other) => one.atMs - other.atMs);
    expect(saga?.type.name).toBe("enrolment-step");
    const deadline = { name: "enrolment-step", key: saga?.key ?? "", atMs: saga?.atMs ?? 0 };
    const passed = saga?.type.passed({ ...deadline, tags: [], correlationId: "c" });
    if (passed) stage.world.must(passed);
    stage.settle();
    expect(stage.row(id)).toMatchObject({ status: "reversed", reason: "step-timed-out" });
    expect(saga?.type.at(deadline.key, 1)).toMatchObject({ tags: [`enrolment:${id}`] });
  });

  it("pays back a charge that comes after it was reversed, and stays reversed", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101", "MA101");
    stage.world.passDeadline();
    stage.settle();
    stage.charge(id);
    expect(stage.refunds.map(({ amountCents }) => amountCents)).toEqual([12_000, 8_000]);
    expect(stage.steps(id)[2]).toBe("payment: compensating");
    stage.payBack();
    expect(stage.steps(id)[2]).toBe("payment: compensated");
    expect(stage.story().slice(-4)).toEqual([
      "Reversed",
      "StepDone payment",
      "StepCompensating payment",
      "StepCompensated payment",
    ]);
    expect(registrationsOf(stage)).toEqual(["CS101: cancelled", "MA101: cancelled"]);
  });

  it("is reversed and paid back when a seat is withdrawn before it is confirmed", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101", "MA101");
    const registrationId = stage.registrationId(id, "MA101");
    stage.world.must(withdraw({ registrationId }));
    stage.settle();
    stage.charge(id);
    expect(stage.row(id).status).toBe("compensating");
    expect(stage.steps(id)).toEqual([
      "reserve/CS101: compensating",
      "reserve/MA101: compensating",
      "payment: compensating",
      "confirm/CS101: compensated",
      "confirm/MA101: failed",
    ]);
    stage.payBack();
    expect(stage.story().slice(4)).toEqual([
      "StepDone payment",
      "StepDone confirm/CS101",
      "StepFailed confirm/MA101",
      "StepCompensated confirm/CS101",
      "StepCompensating payment",
      "StepCompensated payment",
      "StepCompensated reserve/MA101",
      "StepCompensated reserve/CS101",
      "Reversed",
    ]);
    const row = stage.row(id);
    expect(row).toMatchObject({ status: "reversed", reason: "registration-cancelled" });
    expect(stage.refunds).toHaveLength(2);
    expect(registrationsOf(stage)).toEqual(["CS101: cancelled", "MA101: cancelled"]);
  });

  it("is reversed when a module is withdrawn meanwhile", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101", "MA101");
    stage.withdrawModule("CS101");
    stage.charge(id);
    stage.payBack();
    expect(stage.row(id)).toMatchObject({ status: "reversed", reason: "registration-cancelled" });
    expect(new Set(stage.refunds.map(({ registrationId }) => registrationId)).size).toBe(2);
  });

  it("leaves alone what is paid back already when it is undone", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101");
    stage.world.must(withdraw({ registrationId: stage.registrationId(id, "CS101") }));
    stage.settle();
    stage.charge(id);
    stage.payBack();
    expect(stage.refunds).toHaveLength(1);
    expect(stage.row(id).status).toBe("reversed");
  });
});

describe("resubmitEnrolment", () => {
  it("does a reversed enrolment again, with registrations and a payment of its own", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101", "MA101");
    stage.refuse(id);
    stage.resubmit(id);
    expect(stage.row(id)).toMatchObject({ status: "running", attempt: 2, reason: null });
    expect(stage.row(id).steps.map(({ attempts }) => attempts)).toEqual([2, 2, 2, 0, 0]);
    stage.charge(id, 2);
    expect(stage.row(id).status).toBe("completed");
    expect(registrationsOf(stage)).toEqual([
      "CS101: cancelled",
      "MA101: cancelled",
      "CS101: completed",
      "MA101: completed",
    ]);
  });

  it("pays back a late charge of an earlier attempt, and lets the later one be", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101");
    stage.world.passDeadline();
    stage.settle();
    stage.resubmit(id);
    stage.charge(id, 1);
    expect(stage.row(id)).toMatchObject({ status: "running", attempt: 2 });
    expect(stage.refunds).toHaveLength(1);
    stage.payBack();
    stage.charge(id, 2);
    expect(stage.row(id).status).toBe("completed");
    expect(stage.refunds).toHaveLength(1);
    expect(stage.world.names(moduleEvents).at(-1)).toBe("RegistrationCompleted");
  });

  it("refuses an enrolment that is not there, or not reversed", () => {
    const stage = staged();
    const id = stage.enrol("ada", "CS101");
    expect(() => stage.resubmit("none")).toThrow("enrolment-unknown");
    expect(() => stage.resubmit(id)).toThrow("enrolment-not-reversed");
    stage.charge(id);
    expect(() => stage.resubmit(id)).toThrow("enrolment-not-reversed");
  });
});
