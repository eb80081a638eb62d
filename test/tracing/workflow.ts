import { boolean, integer, text } from "../../engine/columns.ts";
import { defineDeadline } from "../../engine/deadline.ts";
import { accept, type CommandCall, defineCommand, fact } from "../../engine/decision/definition.ts";
import {
  defineEffect,
  type EffectOutcome,
  type EffectPerformer,
  type EffectTry,
} from "../../engine/effect.ts";
import { defineProcessor } from "../../engine/processor.ts";
import { defineProjection } from "../../engine/projection.ts";
import { defineTopic } from "../../engine/topic.ts";
import { defineEvent } from "../../schemas/avro/index.ts";

/**
 * An order's long way: asked for over HTTP, charged by an effect, shipped by a processor, asked
 * about by a deadline, and praised by another processor.
 */
const order = { name: "order", type: "string" } as const;
const parcel = { name: "parcel", type: "string" } as const;
const namespace = "way";

const Ordered = defineEvent({ type: "record", name: "Ordered", namespace, fields: [order] });
const Charged = defineEvent({ type: "record", name: "Charged", namespace, fields: [order] });
const Shipped = defineEvent({
  type: "record",
  name: "Shipped",
  namespace,
  fields: [order, parcel],
});
const Asked = defineEvent({ type: "record", name: "Asked", namespace, fields: [order, parcel] });
const Praised = defineEvent({
  type: "record",
  name: "Praised",
  namespace,
  fields: [order, parcel],
});
const Told = defineEvent({
  type: "record",
  name: "Told",
  namespace,
  fields: [order, { name: "moves", type: "int" }],
});

const tags = { order: "order", parcel: "parcel" } as const;

export const orders = defineTopic({
  name: "way-orders",
  key: "order",
  partitions: 2,
  events: [Ordered, Charged, Praised],
  tags,
});

export const parcels = defineTopic({
  name: "way-parcels",
  key: "order",
  partitions: 2,
  events: [Shipped, Asked],
  tags,
});

export const news = defineTopic({ name: "way-news", key: "order", partitions: 2, events: [Told] });

interface OfOrder {
  readonly order: string;
}

const chargeEffect = defineEffect<OfOrder>({
  kind: "way.charge",
  tags: (input) => [`order:${input.order}`],
});

export const askLater = defineDeadline({
  name: "way-ask",
  tags: (key) => [`order:${key}`],
  passed: ({ key }) => ask({ order: key }),
});

export const place = defineCommand({
  name: "place",
  reads: () => ({}),
  decide: (input: OfOrder) =>
    accept([fact(orders, Ordered, input)], undefined, {
      effects: [chargeEffect.of(input.order, input)],
    }),
});

const charge: (input: OfOrder) => CommandCall = defineCommand({
  name: "charge",
  reads: () => ({}),
  decide: (input: OfOrder) => accept([fact(orders, Charged, input)], undefined),
});

const parcelOf = ({ order: id }: OfOrder) => ({ order: id, parcel: `parcel of ${id}` });

const ship = defineCommand({
  name: "ship",
  reads: () => ({}),
  decide: (input: OfOrder, _states, context) =>
    accept([fact(parcels, Shipped, parcelOf(input))], undefined, {
      deadlines: [askLater.at(input.order, context.inMs(50))],
    }),
});

const ask: (input: OfOrder) => CommandCall = defineCommand({
  name: "ask",
  reads: () => ({}),
  decide: (input: OfOrder) => accept([fact(parcels, Asked, parcelOf(input))], undefined),
});

const praise = defineCommand({
  name: "praise",
  reads: () => ({}),
  decide: (input: OfOrder) => accept([fact(orders, Praised, parcelOf(input))], undefined),
});

const shipping = defineProcessor({
  name: "way-shipping",
  from: orders,
  on: {
    Ordered: "ignore",
    Charged: (_, event, emit) => emit(ship({ order: event.order })),
    Praised: "ignore",
  },
});

const praising = defineProcessor({
  name: "way-praising",
  from: parcels,
  on: {
    Shipped: "ignore",
    Asked: (_, event, emit) => emit(praise({ order: event.order })),
  },
});

export const processors = [shipping, praising];

export const progress = defineProjection({
  name: "way-progress",
  version: 1,
  from: orders,
  row: { order: text(), moves: integer(), isPraised: boolean() },
  key: "order",
  history: (key) => [`order:${key}`],
  on: {
    Ordered: (_, event) => ({ order: event.order, moves: 1, isPraised: false }),
    Charged: (row) => row && { ...row, moves: row.moves + 1 },
    Praised: (row) => row && { ...row, moves: row.moves + 1, isPraised: true },
  },
  notify: {
    to: news,
    type: Told,
    event: (row) => row && { order: row.order, moves: row.moves },
  },
});

const charged = ({ input }: EffectTry<OfOrder>): Promise<EffectOutcome> =>
  Promise.resolve({ answer: { paid: true }, follows: { call: charge(input) } });

export const charging: EffectPerformer = chargeEffect.performedBy(charged);

/** What happens to an order, in order, each with what causes it. */
export const wayOfAnOrder = [
  ["Ordered", "the request"],
  ["Charged", "Ordered"],
  ["Shipped", "Charged"],
  ["Asked", "Shipped"],
  ["Praised", "Asked"],
] as const;
