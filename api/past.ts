import { Type } from "typebox";

import type { PastReader } from "../engine/history/past-reader.ts";
import type { ApiContext } from "./context.ts";
import type { ProblemCode } from "./problem-codes.ts";
import { ProblemError } from "./problem.ts";

/** Member of a query string that asks for the past. */
export const AtMember = {
  at: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 40,
      description: "An ISO 8601 time with its zone: the answer as it was then.",
    }),
  ),
};

/** Problems of queries that can ask for the past. */
export const pastProblems: readonly ProblemCode[] = [
  "at-invalid",
  "at-in-future",
  "at-not-settled",
  "history-gone",
  "history-too-large",
  "history-busy",
];

const timePattern = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** @throws ProblemError `at-invalid`. */
export function timeOf(text: string): number {
  const ms = timePattern.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new ProblemError({
    status: 400,
    code: "at-invalid",
    detail: "at takes an ISO 8601 time with its zone, such as 2013-09-15T00:00:00Z.",
  });
}

/** What is read: the past where a time is asked for, otherwise what serves now. */
export const readerAt = ({ deps }: ApiContext, at: string | undefined): PastReader =>
  at === undefined ? deps.reader : deps.history.reader(timeOf(at));
