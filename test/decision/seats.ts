import { setImmediate as turn } from "node:timers/promises";

import {
  accept,
  defineCommand,
  defineDecisionModel,
  fact,
  refuse,
  type Decision,
} from "../../engine/decision/definition.ts";
import { Decider, type DeciderOptions } from "../../engine/decision/decider.ts";
import { ManualClock, SeededRandom } from "../../engine/memory/clock.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import type { Random } from "../../engine/ports/clock.ts";
import type { EventStore, StoredEvent } from "../../engine/ports/event-store.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { defineTopic, type EventType } from "../../engine/topic.ts";

const eventType = <Event>() => {
  return <const Name extends string>(name: Name): EventType<Name, Event> => ({
    name,
    fullName: `shop.${name}`,
    schema: { type: "record", name, fields: [{ name: "show", type: "string" }] },
  });
};

interface Seat {
  readonly show: string;
  readonly ticket: string;
  readonly person: string;
}

export const Opened = eventType<{ readonly show: string; readonly seats: number }>()("Opened");
export const Sold = eventType<Seat>()("Sold");
export const Returned = eventType<Seat>()("Returned");

export const shows = defineTopic({
  name: "shows",
  key: "show",
  partitions: 3,
  events: [Opened, Sold, Returned],
  tags: { show: "show", ticket: "ticket", person: "person" },
});

const show = defineDecisionModel({
  name: "show",
  tag: "show",
  topic: shows,
  initial: { seats: 0, sold: 0, lastSoldAtMs: 0 },
  on: {
    Opened: (state, { seats }) => ({ ...state, seats }),
    Sold: (state, _, { recordedAtMs }) => ({
      ...state,
      sold: state.sold + 1,
      lastSoldAtMs: recordedAtMs,
    }),
    Returned: (state) => ({ ...state, sold: state.sold - 1 }),
  },
});

const person = defineDecisionModel({
  name: "person",
  tag: "person",
  topic: shows,
  initial: 0,
  on: { Sold: (tickets) => tickets + 1, Returned: (tickets) => tickets - 1 },
});

const ticket = defineDecisionModel({
  name: "ticket",
  tag: "ticket",
  topic: shows,
  initial: null as Seat | null,
  on: { Sold: (_, seat) => seat, Returned: () => null },
});

export const perPerson = 3;

export const open = defineCommand({
  name: "open",
  reads: (input: { show: string; seats: number }) => ({ show: show.ofNew(input.show) }),
  decide: (input, states): Decision<undefined> =>
    states.show.seats > 0 ? accept([], undefined) : accept([fact(shows, Opened, input)], undefined),
});

export const buy = defineCommand({
  name: "buy",
  reads: (input: { show: string; person: string; closesAtMs?: number }) => ({
    show: show.of(input.show),
    person: person.ofNew(input.person),
  }),
  decide: (input, states, context): Decision<{ ticket: string }> => {
    const { closesAtMs } = input;
    if (closesAtMs !== undefined && context.reached(closesAtMs)) return refuse("closed", "Closed.");
    if (states.person >= perPerson) return refuse("person-limit", "Enough.");
    if (states.show.sold >= states.show.seats) return refuse("sold-out", "None left.");
    const id = context.newId();
    const seat = { show: input.show, person: input.person, ticket: id };
    return accept([fact(shows, Sold, seat)], { ticket: id });
  },
});

export const giveBack = defineCommand({
  name: "give-back",
  reads: (input: { ticket: string }) => ({ ticket: ticket.of(input.ticket) }),
  decide: (_, states): Decision<Seat> =>
    states.ticket
      ? accept([fact(shows, Returned, states.ticket)], states.ticket)
      : refuse("ticket-unknown", "No such ticket."),
});

export const origin = { correlationId: "test" };

export function newStore(): { store: MemoryEventStore; codec: JsonCodec; clock: ManualClock } {
  const clock = new ManualClock();
  return { store: new MemoryEventStore({ clock }), codec: new JsonCodec(), clock };
}

/**
 * Answers late, and by chance: others get their turns before a call and behind it. Those whose turn
 * has come go on side by side, step by step.
 */
export class LaggingEventStore extends MemoryEventStore {
  readonly #random: Random;
  #next: Promise<void> | undefined;

  constructor(options: { readonly clock: ManualClock; readonly random: Random }) {
    super(options);
    this.#random = options.random;
  }

  override async append(...given: Parameters<MemoryEventStore["append"]>) {
    return this.#late(() => super.append(...given));
  }

  override async appendLocked(...given: Parameters<MemoryEventStore["appendLocked"]>) {
    return this.#late(() => super.appendLocked(...given));
  }

  override async *read(...given: Parameters<MemoryEventStore["read"]>) {
    for await (const page of super.read(...given)) yield await this.#late(async () => page);
  }

  async #late<Result>(call: () => Promise<Result>): Promise<Result> {
    await this.#turns();
    const result = await call();
    await this.#turns();
    return result;
  }

  async #turns(): Promise<void> {
    for (let left = Math.floor(this.#random.next() * 4); left > 0; left -= 1) {
      this.#next ??= turn().then(() => void (this.#next = undefined));
      await this.#next;
    }
    for (let left = Math.floor(this.#random.next() * 9); left > 0; left -= 1) {
      await Promise.resolve();
    }
  }
}

let seeds = 0;

export function newDecider(
  eventStore: EventStore,
  codec: JsonCodec,
  options: Partial<DeciderOptions> = {},
): Decider {
  return new Decider({
    eventStore,
    codec,
    random: new SeededRandom((seeds += 1)),
    clock: new ManualClock(),
    metrics: noMetrics,
    ...options,
  });
}

/** Replays what is stored, throwing at the first event that breaks a rule. */
export function soldByShow(events: readonly StoredEvent[], seats: number): Map<string, number> {
  const sold = new Map<string, number>();
  const persons = new Map<string, number>();
  for (const { type, value } of events) {
    const seat = JSON.parse(value.toString("utf8", 5)) as Seat;
    const by = type === "shop.Sold" ? 1 : type === "shop.Returned" ? -1 : 0;
    const now = (sold.get(seat.show) ?? 0) + by;
    const theirs = (persons.get(seat.person) ?? 0) + by;
    sold.set(seat.show, now);
    persons.set(seat.person, theirs);
    if (now < 0 || now > seats) throw new Error(`${seat.show} has ${now} of ${seats} sold.`);
    if (by !== 0 && (theirs < 0 || theirs > perPerson)) {
      throw new Error(`${seat.person} has ${theirs} tickets.`);
    }
  }
  return sold;
}
