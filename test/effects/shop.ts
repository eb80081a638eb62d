import { defineDeadline } from "../../engine/deadline.ts";
import {
  accept,
  type CommandCall,
  defineCommand,
  defineDecisionModel,
  type Decision,
  fact,
  refuse,
} from "../../engine/decision/definition.ts";
import { defineEffect, type EffectOutcome, type EffectTry } from "../../engine/effect.ts";
import { defineTopic, type EventType } from "../../engine/topic.ts";

const eventType = <Event>() => {
  return <const Name extends string>(name: Name): EventType<Name, Event> => ({
    name,
    fullName: `shop.${name}`,
    schema: { type: "record", name, fields: [{ name: "order", type: "string" }] },
  });
};

interface OfOrder {
  readonly order: string;
}

export const Ordered = eventType<OfOrder & { readonly cents: number }>()("Ordered");
export const Charged = eventType<OfOrder & { readonly charge: string }>()("Charged");
export const Declined = eventType<OfOrder>()("Declined");
export const Expired = eventType<OfOrder>()("Expired");

export const orders = defineTopic({
  name: "orders",
  key: "order",
  partitions: 2,
  events: [Ordered, Charged, Declined, Expired],
  tags: { order: "order" },
});

type Status = "unknown" | "open" | "charged" | "declined" | "expired";

const statusAtFirst = (): Status => "unknown";

const order = defineDecisionModel({
  name: "order",
  tag: "order",
  topic: orders,
  initial: statusAtFirst(),
  on: {
    Ordered: (): Status => "open",
    Charged: (): Status => "charged",
    Declined: (): Status => "declined",
    Expired: (): Status => "expired",
  },
});

export interface ChargeInput {
  readonly order: string;
  readonly cents: number;
}

export const charge = defineEffect<ChargeInput, string>({
  kind: "charge",
  tags: (input) => [`order:${input.order}`],
});

export const orderDue = defineDeadline({
  name: "order-due",
  tags: (key) => [`order:${key}`],
  passed: ({ key, atMs }) => expire({ order: key, atMs }),
});

export interface PlaceOrder extends ChargeInput {
  readonly dueMs?: number;
}

export const place = defineCommand({
  name: "place",
  reads: (input: PlaceOrder) => ({ order: order.of(input.order) }),
  decide: (input, states, context): Decision<undefined> => {
    if (states.order !== "unknown") return accept([], undefined);
    const { order: id, cents, dueMs } = input;
    return accept([fact(orders, Ordered, { order: id, cents })], undefined, {
      effects: [charge.of(id, { order: id, cents }, "card")],
      deadlines: dueMs === undefined ? [] : [orderDue.at(id, context.inMs(dueMs))],
    });
  },
});

/** What becomes of an open order; any other refuses. */
function outcome<Input extends OfOrder>(
  name: string,
  factOf: (input: Input) => Parameters<typeof accept>[0],
): (input: Input) => CommandCall {
  return defineCommand({
    name,
    reads: (input: Input) => ({ order: order.of(input.order) }),
    decide: (input, states) =>
      states.order === "open"
        ? accept(factOf(input), undefined, { deadlines: [orderDue.cancel(input.order)] })
        : refuse("not-open", `The order is ${states.order}.`),
  });
}

export const recordCharge = outcome<{ order: string; charge: string }>("record-charge", (input) => [
  fact(orders, Charged, input),
]);

export const decline = outcome<OfOrder>("decline", ({ order: id }) => [
  fact(orders, Declined, { order: id }),
]);

/** Asks the clock that records it, as a command may that is given at other times, too. */
const expire = defineCommand({
  name: "expire",
  reads: (input: OfOrder & { readonly atMs: number }) => ({ order: order.of(input.order) }),
  decide: (input, states, context): Decision<undefined> => {
    if (states.order !== "open") return refuse("not-open", `The order is ${states.order}.`);
    if (!context.reached(input.atMs)) return refuse("too-early", "It isn't due yet.");
    return accept([fact(orders, Expired, { order: input.order })], undefined);
  },
});

/** The other side: it charges once for each key, whatever becomes of its answers. */
export class Bank {
  readonly charges = new Map<string, string>();
  asked = 0;

  charge({ key }: Pick<EffectTry, "key">): string {
    this.asked += 1;
    const made = this.charges.get(key) ?? `charge ${this.charges.size + 1}`;
    this.charges.set(key, made);
    return made;
  }
}

export const chargedBy =
  (bank: Bank) =>
  (effect: EffectTry<ChargeInput>): Promise<EffectOutcome> => {
    const made = bank.charge(effect);
    const call = recordCharge({ order: effect.input.order, charge: made });
    return Promise.resolve({ answer: { charge: made }, follows: { call } });
  };
