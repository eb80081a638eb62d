import { defineProcessor } from "../../engine/processor.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import { issueCard } from "./issue-card.ts";

/** The library's part in welcoming a student: it knows that an enrolment is completed, no more. */
export const libraryCard = defineProcessor({
  name: "library-card",
  from: enrolmentEvents,
  key: "enrolmentId",
  on: {
    EnrolmentStarted: "ignore",
    EnrolmentStepStarted: "ignore",
    EnrolmentStepDone: "ignore",
    EnrolmentStepFailed: "ignore",
    EnrolmentStepCompensating: "ignore",
    EnrolmentStepCompensated: "ignore",
    EnrolmentCompleted: (_, { enrolmentId, studentId }, emit) => {
      emit(issueCard({ enrolmentId, studentId }));
    },
    EnrolmentReversed: "ignore",
    EnrolmentResubmitted: "ignore",
    LibraryCardIssued: "ignore",
    AccommodationOffered: "ignore",
    OnboardingFinished: "ignore",
  },
});
