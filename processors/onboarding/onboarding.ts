import type { Emit } from "../../engine/processor.ts";
import { defineProcessor } from "../../engine/processor.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import { finishOnboarding, type FinishOnboarding } from "./finish-onboarding.ts";

/** Listens to everybody who takes part in welcoming a student, in whatever order they report. */
export const onboarding = defineProcessor({
  name: "onboarding",
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
    LibraryCardIssued: (_, event, emit) => finish(event, emit),
    AccommodationOffered: (_, event, emit) => finish(event, emit),
    OnboardingFinished: "ignore",
  },
});

function finish({ enrolmentId, studentId }: FinishOnboarding, emit: Emit): void {
  emit(finishOnboarding({ enrolmentId, studentId }));
}
