import { defineProcessor } from "../../engine/processor.ts";
import type { ModuleRegistered } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { paymentIdOf } from "./payment-id.ts";
import { requestPayment, type RequestPayment } from "./request-payment.ts";

/**
 * Asks for the payment of every seat that is held for a fee. A registration of an enrolment has no
 * payment of its own. It keeps no state: the payment's own events say what was asked for.
 */
export const paymentRequests = defineProcessor({
  name: "payment-requests",
  from: moduleEvents,
  key: "moduleCode",
  on: {
    ModuleOffered: "ignore",
    ModuleDetailsChanged: "ignore",
    ModuleCapacityChanged: "ignore",
    ModuleWithdrawn: "ignore",
    ModuleRegistered: (_, event, emit) => {
      if (event.feeCents > 0 && event.enrolmentId === null) emit(requestPayment(owed(event)));
    },
    RegistrationCompleted: "ignore",
    RegistrationCancelled: "ignore",
    WaitlistJoined: "ignore",
    SeatOffered: "ignore",
    SeatOfferExpired: "ignore",
    WaitlistLeft: "ignore",
  },
});

function owed(event: ModuleRegistered): RequestPayment {
  const { registrationId, moduleCode, studentId, feeCents, holdExpiresAt } = event;
  return {
    paymentId: paymentIdOf("REGISTRATION", registrationId),
    studentId,
    subjectType: "REGISTRATION",
    subjectId: registrationId,
    registrations: [{ registrationId, moduleCode, amountCents: feeCents }],
    expiresAt: holdExpiresAt,
  };
}
