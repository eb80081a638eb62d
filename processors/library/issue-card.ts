import {
  accept,
  type Decision,
  defineCommand,
  defineDecisionModel,
  fact,
} from "../../engine/decision/definition.ts";
import { nameBasedId } from "../../engine/decision/event-ids.ts";
import { LibraryCardIssued } from "../../schemas/index.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";

export interface IssueCard {
  readonly enrolmentId: string;
  readonly studentId: string;
}

const cardIssued = defineDecisionModel({
  name: "library-card-issued",
  tag: "enrolment",
  topic: enrolmentEvents,
  initial: false,
  on: { LibraryCardIssued: () => true },
});

/** Issues the student's card for an enrolment, once. */
export const issueCard = defineCommand({
  name: "issue-library-card",
  reads: ({ enrolmentId }: IssueCard) => ({ issued: cardIssued.ofNew(enrolmentId) }),
  decide: ({ enrolmentId, studentId }, { issued }): Decision<undefined> => {
    if (issued) return accept([], undefined);
    const card = { enrolmentId, studentId, cardNumber: cardNumberOf(studentId) };
    return accept([fact(enrolmentEvents, LibraryCardIssued, card)], undefined);
  },
});

/** The same card for a student whatever it is issued for. */
export const cardNumberOf = (studentId: string): string =>
  `L-${nameBasedId(`library-card/${studentId}`).replaceAll("-", "").slice(0, 12).toUpperCase()}`;
