import { defineProcessor } from "../../engine/processor.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import { offerRoom } from "./offer-room.ts";

/** Accommodation's part in welcoming a student: whoever has a library card is offered a place. */
export const accommodation = defineProcessor({
  name: "accommodation",
  from: enrolmentEvents,
  key: "enrolmentId",
  on: {
    EnrolmentStarted: "ignore",
    EnrolmentStepStarted: "ignore",
    EnrolmentStepDone: "ignore",
    EnrolmentStepFailed: "ignore",
    EnrolmentStepCompensating: "ignore",
    EnrolmentStepCompensated: "ignore",
    EnrolmentCompleted: "ignore",
    EnrolmentReversed: "ignore",
    EnrolmentResubmitted: "ignore",
    LibraryCardIssued: (_, { enrolmentId, studentId }, emit) => {
      emit(offerRoom({ enrolmentId, studentId }));
    },
    AccommodationOffered: "ignore",
    OnboardingFinished: "ignore",
  },
});
