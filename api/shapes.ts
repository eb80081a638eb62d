import { type Static, type TSchema, Type } from "typebox";

import type { ModuleRow } from "../projections/module-catalogue/index.ts";
import type { RegistrationRow } from "../projections/registrations/index.ts";
import { storeProblems } from "./answers.ts";
import type { ApiOptions } from "./options.ts";
import type { ProblemCode } from "./problem-codes.ts";

/** An id or a code: text without control characters or halves of surrogate pairs. */
export const Id = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: String.raw`^[^\u0000-\u001f\u007f\ud800-\udfff]+$`,
});

/** A reason, or a name that is put to an act. */
export const Said = Type.String({ minLength: 1, maxLength: 1_000 });

/** Who acts, as a body names him. */
export const By = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 1_000,
    description:
      "Who acts. Where the server asks who somebody is, it is who is signed in, and nobody else can be named.",
  }),
);

export const nullable = <Schema extends TSchema>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

export const Time = Type.String({ format: "date-time" });

/** How old the read model is, in milliseconds; null where nothing here knows. */
export const AgeMs = nullable(Type.Integer({ minimum: 0 }));

export const Registration = Type.Object({
  registrationId: Type.String(),
  moduleCode: Type.String(),
  studentId: Type.String(),
  status: Type.String(),
  feeCents: nullable(Type.Integer()),
  enrolmentId: nullable(Type.String()),
  reason: nullable(Type.String()),
  registeredAt: Time,
  waitingSince: nullable(Time),
  offerExpiresAt: nullable(Time),
  holdExpiresAt: nullable(Time),
  completedAt: nullable(Time),
  cancelledAt: nullable(Time),
});

export const Place = Type.Integer({
  minimum: 0,
  description: "In line: 1 is who gets the next seat; 0 has one on offer.",
});

/** One registration that is asked for by its id. */
export const OneRegistration = Type.Object({
  ...Registration.properties,
  place: nullable(Place),
});

export const RegistrationPage = Type.Object({
  registrations: Type.Array(Registration),
  next: nullable(Type.String()),
});

export const Module = Type.Object({
  moduleCode: Type.String(),
  title: Type.String(),
  capacity: Type.Integer(),
  feeCents: Type.Integer(),
  opensAt: nullable(Time),
  closesAt: nullable(Time),
  updatedAt: Time,
});

export const ModulePage = Type.Object({
  modules: Type.Array(Module),
  next: nullable(Type.String()),
});

/** Headers of a query that can wait for a position. */
export const WaitHeaders = Type.Object({
  "refold-wait-for": Type.Optional(
    Type.String({ description: "A command's `Refold-Position`: the answer has what it wrote." }),
  ),
});

/** Problems of queries that can wait for a position. */
export const queryProblems: readonly ProblemCode[] = [
  "wait-for-invalid",
  "behind",
  ...storeProblems,
];

/** Members of a query string that asks for a page. */
export const pageMembers = ({ pageSizeDefault, pageSizeMax }: ApiOptions) => ({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: pageSizeMax, default: pageSizeDefault }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 2_000, description: "`next` of the page before." }),
  ),
});

interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

export const pageOf = ({ limit, cursor }: PageQuery, { pageSizeDefault }: ApiOptions) => ({
  limit: limit ?? pageSizeDefault,
  cursor,
});

export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

export const registrationShape = (row: RegistrationRow): Static<typeof Registration> => ({
  ...row,
  registeredAt: iso(row.registeredAt),
  waitingSince: isoOrNull(row.waitingSince),
  offerExpiresAt: isoOrNull(row.offerExpiresAt),
  holdExpiresAt: isoOrNull(row.holdExpiresAt),
  completedAt: isoOrNull(row.completedAt),
  cancelledAt: isoOrNull(row.cancelledAt),
});

export const moduleShape = (row: ModuleRow): Static<typeof Module> => ({
  moduleCode: row.code,
  title: row.title,
  capacity: row.capacity,
  feeCents: row.feeCents,
  opensAt: isoOrNull(row.opensAt),
  closesAt: isoOrNull(row.closesAt),
  updatedAt: iso(row.updatedAt),
});
