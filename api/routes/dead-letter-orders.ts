import { Type } from "typebox";

import { actedBy } from "../access/acted-by.ts";
import { access } from "../access/rules.ts";
import { bodyProblems, jsonAnswer, problemAnswers, storeProblems } from "../answers.ts";
import type { ApiServer } from "../context.ts";
import type { LetterAdministration } from "../dead-letters/administration.ts";
import { LetterId, orderLetters, orderMembers } from "../dead-letters/orders.ts";
import { Order, orderShape, Survey } from "../dead-letters/shape.ts";
import { tags } from "../documentation/openapi.ts";
import type { ProblemCode } from "../problem-codes.ts";
import { ProblemError } from "../problem.ts";

const listMax = 500;
const OneOrder = Type.Object({ id: LetterId });

const orderProblems: readonly ProblemCode[] = [
  "letter-unknown",
  "letter-waiting",
  "letter-settled",
  ...bodyProblems,
  ...storeProblems,
];

/** What is to be done with letters: ordered, watched and stopped. */
export function letterOrderRoutes(app: ApiServer, admin: LetterAdministration): void {
  redriveRoute(app, admin);
  discardRoute(app, admin);
  ordersRoute(app, admin);
  orderRoute(app, admin);
  stopRoute(app, admin);
}

const orderAnswers = {
  200: jsonAnswer("A dry run: what it would mean. Nothing is ordered.", Survey),
  202: jsonAnswer("It is ordered; the order shows how far it is.", Order, {
    location: Type.String({ description: "Path of the order." }),
  }),
  ...problemAnswers(orderProblems),
};

function redriveRoute(app: ApiServer, admin: LetterAdministration): void {
  const schema = {
    tags: [tags.letters],
    summary: "Tries failed letters again, each key's in order, with what waits behind them",
    body: Type.Object(orderMembers, { additionalProperties: false }),
    response: orderAnswers,
  };
  app.route({
    method: "POST",
    url: "/admin/dead-letters/redrive",
    config: { access: access.operator },
    schema,
    handler: async (request, reply) => {
      const by = actedBy(request, request.body);
      const answer = await orderLetters(admin, "redrive", { ...request.body, by });
      if ("survey" in answer) return answer.survey;
      void reply.code(202).header("location", pathOf(answer.order.id));
      return answer.order;
    },
  });
}

function discardRoute(app: ApiServer, admin: LetterAdministration): void {
  const schema = {
    tags: [tags.letters],
    summary: "Leaves failed letters out for good; their keys go on without them",
    body: Type.Object(
      {
        ...orderMembers,
        withParked: Type.Optional(
          Type.Boolean({ description: "Leave out what waits behind them, too." }),
        ),
      },
      { additionalProperties: false },
    ),
    response: orderAnswers,
  };
  app.route({
    method: "POST",
    url: "/admin/dead-letters/discard",
    config: { access: access.operator },
    schema,
    handler: async (request, reply) => {
      const { withParked, ...body } = request.body;
      const by = actedBy(request, body);
      const action = withParked === true ? "discard-with-parked" : "discard";
      const answer = await orderLetters(admin, action, { ...body, by });
      if ("survey" in answer) return answer.survey;
      void reply.code(202).header("location", pathOf(answer.order.id));
      return answer.order;
    },
  });
}

function ordersRoute(app: ApiServer, { deadLetters }: LetterAdministration): void {
  const schema = {
    tags: [tags.letters],
    summary: "What was ordered for dead letters, the newest first",
    querystring: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: listMax, default: 50 })),
    }),
    response: {
      200: jsonAnswer("The orders.", Type.Object({ orders: Type.Array(Order) })),
      ...problemAnswers(storeProblems),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/dead-letters/orders",
    config: { access: access.viewer },
    schema,
    handler: async ({ query: { limit = 50 } }) => ({
      orders: (await deadLetters.orders(limit)).map(orderShape),
    }),
  });
}

function orderRoute(app: ApiServer, admin: LetterAdministration): void {
  const schema = {
    tags: [tags.letters],
    summary: "One order and how far it is",
    params: OneOrder,
    response: {
      200: jsonAnswer("The order.", Order),
      ...problemAnswers(["letter-order-unknown", ...storeProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/dead-letters/orders/:id",
    config: { access: access.viewer },
    schema,
    handler: async ({ params: { id } }) => found(admin, id),
  });
}

function stopRoute(app: ApiServer, admin: LetterAdministration): void {
  const schema = {
    tags: [tags.letters],
    summary: "Stops an order that has a pace; what was asked for before goes on",
    params: OneOrder,
    response: {
      200: jsonAnswer("The order, stopped.", Order),
      ...problemAnswers([
        "letter-order-unknown",
        "letter-order-over",
        ...bodyProblems,
        ...storeProblems,
      ]),
    },
  };
  app.route({
    method: "DELETE",
    url: "/admin/dead-letters/orders/:id",
    config: { access: access.operator },
    schema,
    handler: async (request) => {
      const { id } = request.params;
      const { state } = await found(admin, id);
      const by = actedBy(request, {});
      if (await admin.deadLetters.stopOrder(BigInt(id), by)) return found(admin, id);
      const detail = `Order ${id} is ${state}: all of its letters are asked for.`;
      throw new ProblemError({ status: 409, code: "letter-order-over", detail });
    },
  });
}

async function found({ deadLetters }: LetterAdministration, id: string) {
  const order = await deadLetters.findOrder(BigInt(id));
  if (order !== undefined) return orderShape(order);
  const detail = `There is no order ${id} for dead letters.`;
  throw new ProblemError({ status: 404, code: "letter-order-unknown", detail });
}

const pathOf = (id: string): string => `/admin/dead-letters/orders/${id}`;
