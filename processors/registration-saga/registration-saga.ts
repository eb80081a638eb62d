import { type FollowedCall, followed } from "../../engine/decision/definition.ts";
import { defineProcessor } from "../../engine/processor.ts";
import { moduleEvents, paymentEvents } from "../../schemas/topics.ts";
import { refundRegistration } from "../payments/index.ts";
import { cancelRegistration, completeRegistration } from "../seats/index.ts";
import { refundReasonOf } from "./refund-reason.ts";

/**
 * What payments mean for registrations, and the other way round. Nobody directs: each side's events
 * lead to the other's decisions, and what a refusal leads to is said here. An enrolment's payment
 * is its own saga's concern; a registration that ends has its part paid back whoever paid.
 */
export const registrationSaga = defineProcessor({
  name: "registration-saga",
  from: [paymentEvents, moduleEvents],
  key: (event) => ("paymentId" in event ? event.paymentId : event.moduleCode),
  on: {
    PaymentRequested: "ignore",
    PaymentStarted: "ignore",
    PaymentConfirmed: (_, { subjectType, subjectId }, emit) => {
      if (subjectType !== "REGISTRATION") return;
      const registrationId = subjectId;
      emit(completeRegistration({ registrationId }), { refused: () => paidBack(registrationId) });
    },
    PaymentFailed: (_, { subjectType, subjectId }, emit) => {
      if (subjectType !== "REGISTRATION") return;
      emit(cancelRegistration({ registrationId: subjectId, reason: "PAYMENT_FAILED" }));
    },
    PaymentDeadlinePassed: (_, { subjectType, subjectId }, emit) => {
      if (subjectType !== "REGISTRATION") return;
      emit(cancelRegistration({ registrationId: subjectId, reason: "PAYMENT_TIMED_OUT" }));
    },
    PaymentRefunded: "ignore",
    RegistrationCancelled: (_, { registrationId, reason }, emit) => {
      emit(refundRegistration({ registrationId, reason: refundReasonOf(reason) }));
    },
    ModuleOffered: "ignore",
    ModuleDetailsChanged: "ignore",
    ModuleCapacityChanged: "ignore",
    ModuleWithdrawn: "ignore",
    ModuleRegistered: "ignore",
    RegistrationCompleted: "ignore",
    WaitlistJoined: "ignore",
    SeatOffered: "ignore",
    SeatOfferExpired: "ignore",
    WaitlistLeft: "ignore",
  },
});

/**
 * For a registration that can't be completed. Ending it changes nothing where it has ended, and
 * tells why it did: that is why the charge is paid back.
 */
const paidBack = (registrationId: string): FollowedCall =>
  followed(cancelRegistration({ registrationId, reason: "PAYMENT_TIMED_OUT" }), {
    accepted: ({ reason }) =>
      refundRegistration({ registrationId, reason: refundReasonOf(reason) }),
    refused: () => refundRegistration({ registrationId, reason: refundReasonOf(null) }),
  });
