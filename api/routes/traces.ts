import { Type } from "typebox";

import type { AnyProjection } from "../../engine/projection.ts";
import { access } from "../access/rules.ts";
import { jsonAnswer, problemAnswers, storeProblems } from "../answers.ts";
import type { ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { AtMember, pastProblems, timeOf } from "../past.ts";
import type { ProblemCode } from "../problem-codes.ts";
import { ProblemError } from "../problem.ts";
import { Id } from "../shapes.ts";
import type { TraceAdministration } from "../traces/administration.ts";
import { traceShape, TraceShape } from "../traces/shape.ts";
import { StoryShape, storyShape } from "../traces/story-shape.ts";

const most = (name: string, is: { readonly most: number; readonly usual: number }) =>
  Type.Optional(
    Type.Integer({ minimum: 1, maximum: is.most, default: is.usual, description: name }),
  );

const eventsBound = { most: 5_000, usual: 500 };
const stepsBound = { most: 5_000, usual: 200 };

const storyProblems: readonly ProblemCode[] = [
  "projection-unknown",
  "row-unknown",
  ...pastProblems,
  ...storeProblems,
];

/** Business transactions, and how rows became what they are, for operators. */
export function traceRoutes(app: ApiServer, traces: TraceAdministration): void {
  const trace = {
    tags: [tags.traces],
    summary: "Everything that one business transaction has led to, in order of time",
    params: Type.Object({ id: Id }),
    querystring: Type.Object({ eventsMax: most("Events that are told.", eventsBound) }),
    response: {
      200: jsonAnswer("The transaction.", TraceShape),
      ...problemAnswers(["trace-unknown", ...storeProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/traces/:id",
    config: { access: access.viewer },
    schema: trace,
    handler: async ({ params: { id }, query }) => {
      const found = await traces.trace(id, query.eventsMax ?? eventsBound.usual);
      if (found === undefined) throw unknown("trace-unknown", `No event has to do with ${id}.`);
      return traceShape(found);
    },
  });
  whyRoute(app, traces);
}

function whyRoute(app: ApiServer, traces: TraceAdministration): void {
  const schema = {
    tags: [tags.traces],
    summary: "How one row of a read model became what it is: what each record changed",
    params: Type.Object({ projection: Id, key: Id }),
    querystring: Type.Object({ ...AtMember, stepsMax: most("Records told.", stepsBound) }),
    response: {
      200: jsonAnswer("The row's records.", StoryShape),
      ...problemAnswers(storyProblems),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/why/:projection/:key",
    config: { access: access.viewer },
    schema,
    handler: async ({ params, query: { at, stepsMax = stepsBound.usual } }) => {
      const { key } = params;
      const projection = named(traces.projections, params.projection);
      const atMs = at === undefined ? undefined : timeOf(at);
      const story = await traces.why(projection, { key, atMs, stepsMax });
      if (story.steps.length === 0 && story.stored?.row === undefined) {
        throw unknown(
          "row-unknown",
          `No record has to do with a row ${key} of ${projection.name}.`,
        );
      }
      return storyShape(projection, key, story);
    },
  });
}

function named(projections: readonly AnyProjection[], name: string): AnyProjection {
  const found = projections.find((one) => one.name === name);
  if (found !== undefined) return found;
  const known = projections.map((one) => one.name).join(", ");
  throw unknown("projection-unknown", `There is no projection ${name}: there are ${known}.`);
}

const unknown = (code: ProblemCode, detail: string): ProblemError =>
  new ProblemError({ status: 404, code, detail });
