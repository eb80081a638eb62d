import {
  accept,
  type Decision,
  defineCommand,
  defineDecisionModel,
  fact,
} from "../../engine/decision/definition.ts";
import { OnboardingFinished } from "../../schemas/index.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";

export interface FinishOnboarding {
  readonly enrolmentId: string;
  readonly studentId: string;
}

interface Reported {
  readonly libraryCard: boolean;
  readonly accommodation: boolean;
  readonly finished: boolean;
}

const nobody: Reported = { libraryCard: false, accommodation: false, finished: false };

const reported = defineDecisionModel({
  name: "onboarding-reports",
  tag: "enrolment",
  topic: enrolmentEvents,
  initial: nobody,
  on: {
    LibraryCardIssued: (before): Reported => ({ ...before, libraryCard: true }),
    AccommodationOffered: (before): Reported => ({ ...before, accommodation: true }),
    OnboardingFinished: (before): Reported => ({ ...before, finished: true }),
  },
});

/** Finishes the onboarding once everybody has reported; until then nothing happens. */
export const finishOnboarding = defineCommand({
  name: "finish-onboarding",
  reads: ({ enrolmentId }: FinishOnboarding) => ({ known: reported.of(enrolmentId) }),
  decide: ({ enrolmentId, studentId }, { known }): Decision<undefined> => {
    const everybody = known.libraryCard && known.accommodation;
    if (!everybody || known.finished) return accept([], undefined);
    const finished = { enrolmentId, studentId };
    return accept([fact(enrolmentEvents, OnboardingFinished, finished)], undefined);
  },
});
