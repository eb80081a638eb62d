import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";

import { encodePositionToken } from "../../engine/position-token.ts";
import {
  availableSeats,
  seatAvailability,
  type SeatAvailabilityRow,
  seatsOfModule,
} from "../../projections/seat-availability/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { access } from "../access/rules.ts";
import { emptyAnswer, jsonAnswer, problemAnswers } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { positionOfKey } from "../position-header.ts";
import { AtMember, pastProblems, timeOf } from "../past.ts";
import { sendProblem } from "../problem.ts";
import { moduleUnknown } from "../refusals.ts";
import { AgeMs, Id, nullable, queryProblems, WaitHeaders } from "../shapes.ts";

const Availability = Type.Object({
  moduleCode: Type.String(),
  capacity: Type.Integer(),
  held: Type.Integer(),
  confirmed: Type.Integer(),
  available: Type.Integer(),
  position: nullable(
    Type.String({
      description: "Token of the position in the module's lane up to which this is true.",
    }),
  ),
  ageMs: AgeMs,
});

const cacheHeaders = {
  etag: Type.String({ description: "Weak, of the seats alone." }),
  "cache-control": Type.Literal("no-cache"),
};

const schema = {
  tags: [tags.modules],
  summary: "A module's seats, now or at a time of the past",
  params: Type.Object({ code: Id }),
  querystring: Type.Object(AtMember),
  headers: Type.Object({
    ...WaitHeaders.properties,
    "if-none-match": Type.Optional(Type.String()),
  }),
  response: {
    200: jsonAnswer("The seats.", Availability, cacheHeaders),
    304: emptyAnswer("The seats are the same as `If-None-Match` says.", cacheHeaders),
    ...problemAnswers(["module-unknown", ...pastProblems, ...queryProblems]),
  },
};

/** A module's seats now, or at a time of the past. */
export function availabilityRoutes(app: ApiServer, context: ApiContext): void {
  app.route({
    method: "GET",
    url: "/modules/:code/availability",
    config: { access: access.anyone },
    schema,
    handler: async (request, reply) => {
      const { code } = request.params;
      const { at } = request.query;
      const found =
        at === undefined
          ? await seatsNow(context, code, request.headers["refold-wait-for"])
          : await seatsAt(context, code, timeOf(at));
      if (found === undefined) return sendProblem(request, reply, moduleUnknown(code));
      return unlessKnown(request, reply, found);
    },
  });
}

type Found = Static<typeof Availability>;

async function seatsNow(
  { deps, waits }: ApiContext,
  code: string,
  waitFor: string | undefined,
): Promise<Found | undefined> {
  await waits.until(seatAvailability, waitFor);
  const { result, positions } = await seatsOfModule(deps.reader, code);
  if (result === undefined) return undefined;
  const ageMs = deps.ageMs(seatAvailability.name);
  return {
    ...shapeOf(result),
    position: positionOfKey(code, moduleEvents, positions) ?? null,
    ageMs: ageMs === undefined ? null : Math.max(0, Math.round(ageMs)),
  };
}

/** A fold of the module's events; its age is 0, because it is exact for the time asked. */
async function seatsAt(
  { deps }: ApiContext,
  code: string,
  atMs: number,
): Promise<Found | undefined> {
  const { row, last } = await deps.history.rowAsOf(seatAvailability.name, code, atMs);
  if (row === undefined) return undefined;
  const lanes = last === undefined ? [] : [last];
  const position = encodePositionToken({ incarnation: last?.incarnation ?? "", lanes });
  return { ...shapeOf(row as SeatAvailabilityRow), position, ageMs: 0 };
}

function shapeOf(row: SeatAvailabilityRow): Omit<Found, "position" | "ageMs"> {
  const { moduleCode, capacity, held, confirmed } = row;
  return { moduleCode, capacity, held, confirmed, available: availableSeats(row) };
}

/**
 * The tag is weak and made of the seats alone: position and age go on while the answer still means
 * the same.
 */
function unlessKnown(
  request: FastifyRequest,
  reply: FastifyReply,
  found: Found,
): Found | FastifyReply {
  const etag = `W/"${found.capacity}-${found.held}-${found.confirmed}"`;
  void reply.header("etag", etag).header("cache-control", "no-cache");
  return matches(request.headers["if-none-match"], etag) ? reply.code(304).send() : found;
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  const opaque = etag.slice(2);
  return ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === opaque);
}
