import { expect, test } from "vitest";

import { compareContracts } from "../../bin/contracts/compare.ts";
import { readContract } from "../../bin/contracts/read-contract.ts";

interface Told {
  readonly fields?: readonly unknown[];
  readonly key?: string;
  readonly partitions?: number;
  readonly messages?: readonly string[];
  readonly topic?: string;
}

const text = (name: string) => ({ name, type: "string" });

/** A contract with one topic, whose events are read by `seats` and, but for Paid, by `mail`. */
function contract(told: Told = {}): unknown {
  const { topic = "orders", messages = ["Placed", "Paid"], fields = [text("orderId")] } = told;
  const payload = (name: string) => ({ schema: { type: "record", name, fields } });
  const ref = (name: string) => ({ $ref: `#/channels/${topic}/messages/${name}` });
  return {
    asyncapi: "3.0.0",
    channels: {
      [topic]: {
        "x-key": told.key ?? "orderId",
        messages: Object.fromEntries(messages.map((name) => [name, { payload: payload(name) }])),
        bindings: { kafka: { partitions: told.partitions ?? 10 } },
      },
    },
    operations: {
      seats: { action: "receive", channel: { $ref: `#/channels/${topic}` } },
      mail: {
        action: "receive",
        channel: { $ref: `#/channels/${topic}` },
        messages: messages.filter((name) => name !== "Paid").map(ref),
      },
      [`record-${topic}`]: { action: "send", channel: { $ref: `#/channels/${topic}` } },
    },
  };
}

const compared = (theirs: Told, ours: Told) =>
  compareContracts(readContract(contract(theirs)), readContract(contract(ours)));

test("a version breaks nobody with itself", () => {
  expect(compared({}, {})).toEqual({ breaks: [], notes: [] });
});

test("a field without a default breaks this version's readers of what is recorded, by name", () => {
  const { breaks } = compared({}, { fields: [text("orderId"), text("channel")] });
  expect(
    breaks.map(({ message, consumersOf, consumers }) => [message, consumersOf, consumers]),
  ).toEqual([
    ["Placed", "ours", ["mail", "seats"]],
    ["Paid", "ours", ["seats"]],
  ]);
  expect(breaks[0]?.reasons).toEqual([
    expect.stringContaining("READER_FIELD_MISSING_DEFAULT_VALUE"),
  ]);
});

test("a field that is gone breaks the other version's readers", () => {
  const { breaks } = compared({ fields: [text("orderId"), text("channel")] }, {});
  expect(breaks.map(({ message, consumersOf }) => [message, consumersOf])).toEqual([
    ["Placed", "theirs"],
    ["Paid", "theirs"],
  ]);
});

test("a field with a default breaks nobody", () => {
  const channel = { ...text("channel"), default: "web" };
  expect(compared({}, { fields: [text("orderId"), channel] }).breaks).toEqual([]);
});

test("another key or number of partitions breaks everybody on the topic", () => {
  for (const change of [{ key: "customerId" }, { partitions: 20 }]) {
    const { breaks } = compared({}, change);
    expect(breaks.map(({ consumersOf, consumers }) => [consumersOf, consumers])).toEqual([
      ["theirs", ["mail", "seats"]],
      ["ours", ["mail", "seats"]],
    ]);
  }
});

test("events that come or go are told; a topic that goes breaks its readers", () => {
  expect(compared({ messages: ["Placed"] }, {}).notes).toEqual([
    "Paid is new on orders: the other version's consumers pass it over.",
  ]);
  expect(compared({}, { messages: ["Placed"] })).toMatchObject({
    breaks: [],
    notes: ["Paid is not written to orders any more, though seats of the other version read it."],
  });
  const { breaks, notes } = compared({ topic: "orders" }, { topic: "sales" });
  expect(
    breaks.map(({ topic, consumersOf, consumers }) => [topic, consumersOf, consumers]),
  ).toEqual([["orders", "theirs", ["mail", "seats"]]]);
  expect(notes).toEqual(["The topic sales is new."]);
});

test("what is no contract is refused", () => {
  for (const wrong of [undefined, null, 7, {}, { asyncapi: "3.0.0" }]) {
    expect(() => readContract(wrong)).toThrow(TypeError);
  }
});
