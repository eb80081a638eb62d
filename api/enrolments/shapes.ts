import { type Static, Type } from "typebox";

import type { EnrolmentRow, EnrolmentStep } from "../../projections/enrolments/index.ts";
import { iso, isoOrNull, nullable, Time } from "../shapes.ts";

const Step = Type.Object({
  name: Type.String({ description: "`reserve/<module>`, `payment` or `confirm/<module>`." }),
  state: Type.String({
    description: "`pending`, `started`, `done`, `failed`, `compensating` or `compensated`",
  }),
  attempts: Type.Integer(),
  startedAt: nullable(Time),
  endedAt: nullable(Time),
  compensatedAt: nullable(Time),
  reason: nullable(Type.String({ description: "The code with which it failed." })),
  detail: nullable(Type.String()),
  dueAt: nullable({ ...Time, description: "It fails when nothing is reported until then." }),
  registrationId: nullable(Type.String()),
  paymentId: nullable(Type.String()),
});

const Chain = Type.Object(
  {
    libraryCard: nullable(Type.Object({ cardNumber: Type.String(), at: Time })),
    accommodation: nullable(
      Type.Object({ residence: Type.String(), room: Type.String(), at: Time }),
    ),
    onboardingFinished: nullable(Type.Object({ at: Time })),
  },
  { description: "What follows a completed enrolment, outside its control." },
);

export const Enrolment = Type.Object({
  enrolmentId: Type.String(),
  studentId: Type.String(),
  moduleCodes: Type.Array(Type.String()),
  status: Type.String({
    description: "`running`, `compensating`, `completed` or `reversed` (it can be resubmitted)",
  }),
  attempt: Type.Integer(),
  reason: nullable(Type.String({ description: "The code of the step that failed." })),
  steps: Type.Array(Step),
  chain: Chain,
  startedAt: Time,
  endedAt: nullable(Time),
});

export const EnrolmentPage = Type.Object({
  enrolments: Type.Array(Enrolment),
  next: nullable(Type.String()),
});

export const enrolmentShape = (row: EnrolmentRow): Static<typeof Enrolment> => ({
  ...row,
  moduleCodes: [...row.moduleCodes],
  steps: row.steps.map(stepShape),
  chain: {
    libraryCard: timed(row.chain.libraryCard),
    accommodation: timed(row.chain.accommodation),
    onboardingFinished: timed(row.chain.onboardingFinished),
  },
  startedAt: iso(row.startedAt),
  endedAt: isoOrNull(row.endedAt),
});

const stepShape = (step: EnrolmentStep): Static<typeof Step> => ({
  ...step,
  startedAt: isoOrNull(step.startedAt),
  endedAt: isoOrNull(step.endedAt),
  compensatedAt: isoOrNull(step.compensatedAt),
  dueAt: isoOrNull(step.dueAt),
});

const timed = <Link extends { readonly at: number }>(
  link: Link | null,
): (Omit<Link, "at"> & { at: string }) | null => link && { ...link, at: iso(link.at) };
