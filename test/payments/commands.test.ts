import { describe, expect, it } from "vitest";

import { type Fact, fact } from "../../engine/decision/definition.ts";
import { given } from "../../engine/decision/given.ts";
import {
  confirmPayment,
  failPayment,
  passPaymentDeadline,
  payByCard,
  paymentIdOf,
  recordRefund,
  refundRegistration,
  requestPayment,
} from "../../processors/payments/index.ts";
import { PaymentConfirmed, PaymentRefunded, PaymentRequested } from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { charge, dueAtMs, happened, part, paymentId, request, terms } from "./terms.ts";

const { requested, started, confirmed, failed, passed, refunded } = happened;

const toMake = {
  paymentId,
  amountCents: 12_000,
  studentId: "ada",
  registrationIds: ["reg-1"],
  expiresAtMs: dueAtMs,
};
const tags = [`payment:${paymentId}`, "student:ada", "registration:reg-1"];
const cancelled = [{ change: "cancel", name: "payment-due", key: paymentId }] as const;

describe("requestPayment", () => {
  it("asks for the sum of the parts, tells the provider and sets the deadline", () => {
    given([])
      .when(requestPayment(request))
      .then({
        facts: [requested],
        answer: { paymentId, amountCents: 12_000, status: "requested", expiresAtMs: dueAtMs },
        wanted: {
          effects: [
            { key: `payment.open/${paymentId}`, kind: "payment.open", input: toMake, tags },
          ],
          deadlines: [
            {
              change: "set",
              name: "payment-due",
              key: paymentId,
              atMs: dueAtMs,
              tags: [`payment:${paymentId}`],
            },
          ],
        },
      });
  });

  it("asks once, and tells how the payment stands when it is asked again", () => {
    given([requested, started])
      .when(requestPayment(request))
      .then({
        facts: [],
        answer: { paymentId, amountCents: 12_000, status: "charging", expiresAtMs: dueAtMs },
      });
  });

  it("gives 15 minutes where no time is told", () => {
    const { decision } = given([], { nowMs: 1_000 }).when(
      requestPayment({ ...request, expiresAt: null }),
    );
    expect(decision).toMatchObject({ answer: { expiresAtMs: 901_000 } });
  });

  it("lets one that comes after its deadline pass at once, and tells no provider", () => {
    given([], { nowMs: dueAtMs })
      .when(requestPayment(request))
      .then({ facts: [requested, passed], wanted: undefined } as never);
  });

  it("refuses an amount of nothing, and one that an event can't hold", () => {
    const nothing = { ...request, registrations: [{ ...part, amountCents: 0 }] };
    given([]).when(requestPayment(nothing)).then({ refused: "payment-amount-invalid" });
    const dear = { ...part, amountCents: 2_000_000_000 };
    const tooMuch = { ...request, registrations: [dear, { ...dear, registrationId: "reg-2" }] };
    given([]).when(requestPayment(tooMuch)).then({ refused: "payment-amount-invalid" });
  });

  it("has the same id for the same subject, and another for another", () => {
    expect(paymentIdOf("REGISTRATION", "reg-1")).toBe(paymentId);
    const others = [paymentIdOf("REGISTRATION", "reg-2"), paymentIdOf("ENROLMENT", "reg-1")];
    expect(new Set([paymentId, ...others]).size).toBe(3);
  });
});

describe("payByCard", () => {
  const pay = payByCard({ paymentId, token: "tok_ok" });

  it("has the card charged under the payment's key, the token being secret", () => {
    const key = `payment.charge/${paymentId}`;
    const secret = { token: "tok_ok" };
    given([requested])
      .when(pay)
      .then({
        facts: [started],
        answer: { paymentId, status: "charging" },
        wanted: { effects: [{ key, kind: "payment.charge", input: toMake, tags, secret }] },
      });
  });

  it("refuses a second card while the first one's outcome is awaited", () => {
    given([requested, started]).when(pay).then({ refused: "payment-in-progress" });
  });

  it("refuses a payment that is over, or due, or unknown", () => {
    for (const end of [confirmed, failed, passed]) {
      given([requested, end]).when(pay).then({ refused: "payment-over" });
    }
    given([requested], { nowMs: dueAtMs }).when(pay).then({ refused: "payment-over" });
    given([]).when(pay).then({ refused: "payment-unknown" });
  });
});

describe("outcomes", () => {
  const confirm = confirmPayment({ paymentId, ...charge });
  const fail = failPayment({ paymentId, provider: "sandbox", reason: "CARD_DECLINED" });
  const pass = passPaymentDeadline({ paymentId });

  it("records a confirmation whatever came before, and cancels the deadline", () => {
    for (const before of [[], [started], [failed], [passed]]) {
      given([requested, ...before])
        .when(confirm)
        .then({ facts: [confirmed], wanted: { deadlines: cancelled } });
    }
  });

  it("records a failure while the payment is open, and cancels the deadline", () => {
    for (const before of [[], [started]]) {
      given([requested, ...before])
        .when(fail)
        .then({ facts: [failed], wanted: { deadlines: cancelled } });
    }
  });

  it("takes a failure at or after the deadline for the deadline's passing", () => {
    given([requested, started], { nowMs: dueAtMs })
      .when(fail)
      .then({ facts: [passed], wanted: { deadlines: cancelled } });
  });

  it("records a passed deadline while the payment is open", () => {
    for (const before of [[], [started]]) {
      given([requested, ...before])
        .when(pass)
        .then({ facts: [passed] });
    }
  });

  it("records nothing where the outcome is known", () => {
    const nothing = (facts: readonly Fact[], call: typeof confirm): void =>
      given([requested, ...facts])
        .when(call)
        .then({ facts: [] });
    nothing([confirmed], confirm);
    for (const end of [confirmed, failed, passed]) {
      nothing([end], fail);
      nothing([end], pass);
    }
  });

  it("refuses the outcome of a payment that nobody requested", () => {
    for (const call of [confirm, fail, pass]) {
      given([]).when(call).then({ refused: "payment-unknown" });
    }
  });
});

describe("refundRegistration", () => {
  const refund = refundRegistration({ registrationId: "reg-1", reason: "LATE" });

  it("has the part paid back by whoever charged it", () => {
    given([requested, confirmed])
      .when(refund)
      .then({
        facts: [],
        wanted: {
          effects: [
            {
              key: `payment.refund/${paymentId}/reg-1`,
              kind: "payment.refund",
              input: {
                paymentId,
                registrationId: "reg-1",
                studentId: "ada",
                amountCents: 12_000,
                ...charge,
                reason: "LATE",
              },
              tags,
            },
          ],
        },
      });
  });

  it("refuses where nothing was charged, or all was paid back", () => {
    for (const facts of [[], [requested], [requested, failed], [requested, confirmed, refunded]]) {
      given(facts).when(refund).then({ refused: "nothing-to-refund" });
    }
  });

  it("pays back what each attempt of an enrolment has charged for the registration", () => {
    const attempt = (number: number): readonly Fact[] => {
      const of = { ...terms, paymentId: paymentIdOf("ENROLMENT", `en-1/${number}`) };
      return [
        fact(paymentEvents, PaymentRequested, { ...of, expiresAt: dueAtMs }),
        fact(paymentEvents, PaymentConfirmed, { ...of, ...charge, reference: `ch-${number}` }),
      ];
    };
    const { decision } = given([...attempt(1), ...attempt(2)]).when(refund);
    expect(decision).toMatchObject({
      wanted: {
        effects: [{ input: { reference: "ch-1" } }, { input: { reference: "ch-2" } }],
      },
    });
  });
});

describe("recordRefund", () => {
  const back = { provider: "sandbox", reference: "re-1", reason: "LATE" };
  const record = recordRefund({ paymentId, registrationId: "reg-1", ...back });

  it("records the part of the registration, once", () => {
    given([requested, confirmed])
      .when(record)
      .then({ facts: [refunded] });
    given([requested, confirmed, refunded]).when(record).then({ facts: [] });
  });

  it("records one part of several", () => {
    const other = { registrationId: "reg-2", moduleCode: "PH1", amountCents: 500 };
    const both = { ...terms, amountCents: 12_500, registrations: [part, other] };
    const facts = [
      fact(paymentEvents, PaymentRequested, { ...both, expiresAt: dueAtMs }),
      fact(paymentEvents, PaymentConfirmed, { ...both, ...charge }),
    ];
    const one = { ...both, ...back, amountCents: 500, registrations: [other] };
    given(facts)
      .when(recordRefund({ paymentId, registrationId: "reg-2", ...back }))
      .then({ facts: [fact(paymentEvents, PaymentRefunded, one)] });
  });

  it("refuses what was not charged", () => {
    given([requested]).when(record).then({ refused: "nothing-to-refund" });
    given([requested, confirmed])
      .when(recordRefund({ paymentId, registrationId: "reg-9", ...back }))
      .then({ refused: "nothing-to-refund" });
    given([]).when(record).then({ refused: "payment-unknown" });
  });
});
