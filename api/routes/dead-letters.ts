import { Type } from "typebox";

import { actedBy } from "../access/acted-by.ts";
import { access } from "../access/rules.ts";
import { bodyProblems, jsonAnswer, problemAnswers, storeProblems } from "../answers.ts";
import type { ApiServer } from "../context.ts";
import type { LetterAdministration } from "../dead-letters/administration.ts";
import {
  criteriaMembers,
  criteriaOf,
  dispositionOf,
  letterStates,
  type LetterState,
} from "../dead-letters/criteria.ts";
import { letterFound, LetterId, notFailed } from "../dead-letters/orders.ts";
import { editProblem } from "../dead-letters/problems.ts";
import {
  Group,
  groupShape,
  Letter,
  letterShape,
  WholeLetter,
  wholeLetterShape,
} from "../dead-letters/shape.ts";
import { surroundingsOf } from "../dead-letters/surroundings.ts";
import { tags } from "../documentation/openapi.ts";
import { ProblemError } from "../problem.ts";
import { By, nullable, Said } from "../shapes.ts";
import { letterOrderRoutes } from "./dead-letter-orders.ts";
import type { StoredDeadLetter } from "../../engine/ports/dead-letters.ts";

const listMax = 500;
const groupsMax = 500;

const State = Type.Optional(Type.Enum([...letterStates], { default: "open" }));
const OneLetter = Type.Object({ id: LetterId });

/** Records that were set aside: told, edited, redriven and discarded. Workers do what is asked. */
export function deadLetterRoutes(app: ApiServer, admin: LetterAdministration): void {
  groupsRoute(app, admin);
  listRoute(app, admin);
  oneRoute(app, admin);
  editRoute(app, admin);
  letterOrderRoutes(app, admin);
}

function groupsRoute(app: ApiServer, { deadLetters }: LetterAdministration): void {
  const schema = {
    tags: [tags.letters],
    summary: "Dead letters by fault: consumer, cause, event type or schema, and topic",
    querystring: Type.Object({
      ...criteriaMembers,
      state: Type.Optional(Type.Enum([...letterStates], { default: "failed" })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: groupsMax, default: 100 })),
    }),
    response: {
      200: jsonAnswer("The groups.", Type.Object({ groups: Type.Array(Group) })),
      ...problemAnswers(storeProblems),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/dead-letters/groups",
    config: { access: access.viewer },
    schema,
    handler: async ({ query: { state = "failed", limit = 100, ...chosen } }) => {
      const groups = await deadLetters.groups(ofState(criteriaOf(chosen), state), limit);
      return { groups: groups.map(groupShape) };
    },
  });
}

function listRoute(app: ApiServer, { deadLetters }: LetterAdministration): void {
  const schema = {
    tags: [tags.letters],
    summary: "Dead letters in order of being set aside",
    querystring: Type.Object({
      ...criteriaMembers,
      state: State,
      order: Type.Optional(LetterId),
      after: Type.Optional(LetterId),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: listMax, default: 50 })),
    }),
    response: {
      200: jsonAnswer(
        "A page.",
        Type.Object({
          letters: Type.Array(Letter),
          next: nullable(Type.String({ description: "`after` of the next page." })),
        }),
      ),
      ...problemAnswers(storeProblems),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/dead-letters",
    config: { access: access.viewer },
    schema,
    handler: async ({ query: { state = "open", order, after, limit = 50, ...chosen } }) => {
      const found = await deadLetters.list({
        ...ofState(criteriaOf(chosen), state),
        ...(order === undefined ? {} : { order: BigInt(order) }),
        ...(after === undefined ? {} : { after: BigInt(after) }),
        limit,
      });
      const last = found.length < limit ? undefined : found.at(-1);
      return { letters: found.map(letterShape), next: last === undefined ? null : String(last.id) };
    },
  });
}

function oneRoute(app: ApiServer, admin: LetterAdministration): void {
  const schema = {
    tags: [tags.letters],
    summary: "One letter whole: decoded and raw, with its stack and what was done to it",
    params: OneLetter,
    response: {
      200: jsonAnswer("The letter.", WholeLetter),
      ...problemAnswers(["letter-unknown", ...storeProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/dead-letters/:id",
    config: { access: access.viewer },
    schema,
    handler: async ({ params: { id } }) => whole(admin, await letterFound(admin, id)),
  });
}

async function whole(admin: LetterAdministration, letter: StoredDeadLetter) {
  return wholeLetterShape(letter, await surroundingsOf(admin, letter));
}

function editRoute(app: ApiServer, admin: LetterAdministration): void {
  const schema = {
    tags: [tags.letters],
    summary: "Gives a failed letter another value; the original stays beside it",
    description:
      "The value is JSON as a letter's `decoded` shows it: bytes in base64, whole numbers beyond " +
      "2^53 as text. It is checked against its Avro schema, and tried as its consumer would read it.",
    params: OneLetter,
    body: Type.Object(
      {
        value: Type.Unknown(),
        schema: Type.Optional(
          Type.Union([Type.Enum(["writer", "reader"]), Type.Integer({ minimum: 0 })], {
            description:
              "`writer`: the record's own; `reader`: the newest of its type; or a schema's id. " +
              "Left out: the record's own where the registry has it, otherwise the newest.",
          }),
        ),
        by: By,
        reason: Said,
      },
      { additionalProperties: false },
    ),
    response: {
      200: jsonAnswer("The letter, edited.", WholeLetter),
      ...problemAnswers([
        "letter-unknown",
        "letter-waiting",
        "letter-settled",
        "letter-asked",
        "letter-value-invalid",
        "letter-schema-unknown",
        ...bodyProblems,
        ...storeProblems,
      ]),
    },
  };
  app.route({
    method: "PUT",
    url: "/admin/dead-letters/:id/value",
    config: { access: access.operator },
    schema,
    handler: async (request) => {
      const { id } = request.params;
      const { value: json, schema: wanted, reason } = request.body;
      const by = actedBy(request, request.body);
      const letter = await letterFound(admin, id);
      if (letter.disposition !== "failed") throw await notFailed(admin, letter);
      const value = await admin.encode(letter, json, wanted).catch(editProblem);
      await edit(admin, letter, { value, by, reason });
      return whole(admin, await letterFound(admin, id));
    },
  });
}

async function edit(
  admin: LetterAdministration,
  letter: StoredDeadLetter,
  edited: { readonly value: Uint8Array; readonly by: string; readonly reason: string },
): Promise<void> {
  const verdict = await admin.deadLetters.edit(letter.id, edited);
  switch (verdict) {
    case "edited":
      return;
    case "asked":
      throw new ProblemError({
        status: 409,
        code: "letter-asked",
        detail: `Letter ${letter.id} is about to be taken up: edit it when that is done.`,
      });
    case "unknown":
    case "waiting":
    case "settled":
      throw await notFailed(admin, await letterFound(admin, String(letter.id)));
    default:
      return verdict satisfies never;
  }
}

function ofState<Criteria extends object>(criteria: Criteria, state: LetterState) {
  const disposition = dispositionOf(state);
  return disposition === undefined ? criteria : { ...criteria, disposition };
}
