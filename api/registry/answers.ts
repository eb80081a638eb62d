import { type TSchema, Type } from "typebox";

import { bodyProblems, problemAnswers } from "../answers.ts";
import { tags } from "../documentation/openapi.ts";
import { mediaTypes } from "./media.ts";
import { RegistryError } from "./shapes.ts";

/** Statuses of refusals, with the codes that come with each. */
const refusals: Readonly<Record<number, string>> = {
  400: "The request can't be read.",
  404:
    "40401 subject, 40402 version, 40403 schema not found; 40404, 40406 deleted already; " +
    "40405, 40407 not deleted before being deleted permanently; 40408, 40409 nothing is set.",
  405: "The path has no such method.",
  409: "The schema is not compatible with an earlier one.",
  413: "The body has more bytes than are taken.",
  415: "The body is of another media type.",
  422:
    "42201 schema, 42202 version, 42203 compatibility level, 42204 mode, 42208 subject is not " +
    "valid; 42205 not permitted; 42206 referred to; 42207 known by another id; 42209 too large.",
  500: "50001 the database does not answer; 500 what nobody expected.",
};

interface Documented {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>;
}

/** What a route answers with, for the document: its own body, refusals, and every route's problems. */
export function registryAnswers(description: string, schema: TSchema) {
  const problems: Readonly<Record<string, Documented>> = problemAnswers([
    ...bodyProblems,
    "route-unknown",
  ]);
  const answers: Record<string, Documented> = { ...problems };
  for (const [status, text] of Object.entries(refusals)) {
    const problem = problems[status];
    answers[status] = {
      ...problem,
      description: [text, ...(problem === undefined ? [] : [problem.description])].join("\n\n"),
      content: { ...problem?.content, ...inAllMediaTypes(RegistryError) },
    };
  }
  return { ...answers, 200: { description, content: inAllMediaTypes(schema) } };
}

/** A schema in itself: any JSON. */
export const AnySchema = Type.Unknown();

export const registryTag = [tags.registry];

function inAllMediaTypes(schema: TSchema): Documented["content"] {
  return Object.fromEntries(mediaTypes.map((type) => [type, { schema }]));
}
