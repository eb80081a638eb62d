import { type Static, Type } from "typebox";

import {
  lineOfModule,
  type PlaceInLine,
  waitingLists,
} from "../../projections/waiting-lists/index.ts";
import { access } from "../access/rules.ts";
import { jsonAnswer, problemAnswers } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { AtMember, pastProblems, readerAt } from "../past.ts";
import {
  Id,
  iso,
  isoOrNull,
  nullable,
  pageMembers,
  pageOf,
  Place,
  queryProblems,
  Time,
  WaitHeaders,
} from "../shapes.ts";

const Waiting = Type.Object({
  place: Place,
  registrationId: Type.String(),
  studentId: Type.String(),
  state: Type.String({ description: "`waiting`, or `offered` a seat" }),
  waitingSince: Time,
  offerExpiresAt: nullable(Time),
});

const Line = Type.Object({ places: Type.Array(Waiting), next: nullable(Type.String()) });

/** Who stands in line for the seats of a module. */
export function waitingListRoutes(app: ApiServer, context: ApiContext): void {
  const { options, waits } = context;
  const schema = {
    tags: [tags.registrations],
    summary: "A module's waiting list, in pages, now or at a time of the past",
    params: Type.Object({ code: Id }),
    querystring: Type.Object({ ...pageMembers(options), ...AtMember }),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer("The line, the first in it first.", Line),
      ...problemAnswers(["cursor-invalid", ...pastProblems, ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/modules/:code/waiting-list",
    config: { access: access.operator },
    schema,
    handler: async (request) => {
      await waits.until(waitingLists, request.headers["refold-wait-for"]);
      const page = pageOf(request.query, options);
      const reader = readerAt(context, request.query.at);
      const { result } = await lineOfModule(reader, request.params.code, page);
      return { places: result.places.map(waitingShape), next: result.next ?? null };
    },
  });
}

const waitingShape = (place: PlaceInLine): Static<typeof Waiting> => ({
  place: place.place,
  registrationId: place.registrationId,
  studentId: place.studentId,
  state: place.state,
  waitingSince: iso(place.waitingSince),
  offerExpiresAt: isoOrNull(place.offerExpiresAt),
});
