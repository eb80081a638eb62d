import { expect, test } from "vitest";

import { defineDeadline } from "../../engine/deadline.ts";
import { accept, defineCommand } from "../../engine/decision/definition.ts";
import { defineEffect } from "../../engine/effect.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { defineProcessor } from "../../engine/processor.ts";
import { happened } from "../../engine/testing/given.ts";
import { Journal, ProcessorDriver, processorChecks } from "../../engine/testing/index.ts";
import { Charged, Ordered, orders } from "./shop.ts";

const mail = defineEffect<{ readonly order: string }>({ kind: "mail", tags: () => [] });
const reminder = defineDeadline({ name: "reminder", tags: () => [], passed: () => remind("") });

const remind = defineCommand({
  name: "remind",
  reads: () => ({}),
  decide: (order: string, _, context) =>
    accept([], undefined, {
      effects: [mail.of(order, { order })],
      deadlines: [reminder.at(order, context.inMs(1_000))],
    }),
});

const forget = defineCommand({
  name: "forget",
  reads: () => ({}),
  decide: (order: string) => accept([], undefined, { deadlines: [reminder.cancel(order)] }),
});

const reminders = defineProcessor({
  name: "reminders",
  from: orders,
  key: "order",
  on: {
    Ordered: (_, { order }, emit) => emit(remind(order)),
    Charged: (_, { order }, emit) => emit(forget(order)),
    Declined: "ignore",
    Expired: "ignore",
  },
});

const history = [
  ...Array.from({ length: 12 }, (_, at) => happened(Ordered, { order: `o${at}`, cents: 1 })),
  ...[0, 3, 5].map((at) => happened(Charged, { order: `o${at}`, charge: "c" })),
];

test.each(processorChecks({ processor: reminders, history }))("reminders: $name", ({ run }) =>
  run(),
);

test("the driver tells what a processor's decisions want, once each, over crashes", async () => {
  const log = new MemoryRecordLog();
  const codec = new JsonCodec();
  const journal = new Journal({ log, codec });
  await journal.open(orders);
  await journal.append(orders, history);
  const driver = new ProcessorDriver({ processor: reminders, log, codec, crashOneIn: 10 });
  await driver.finish();
  expect(driver.crashes).toBeGreaterThan(0);
  const wanted = (await driver.effects()).map(({ key }) => key);
  expect(wanted.toSorted()).toEqual(
    Array.from({ length: 12 }, (_, at) => `mail/o${at}`).toSorted(),
  );
  const waited = (await driver.deadlines(["reminder"])).map(({ key }) => key);
  expect(new Set(waited)).toEqual(new Set([1, 2, 4, 6, 7, 8, 9, 10, 11].map((at) => `o${at}`)));
});
