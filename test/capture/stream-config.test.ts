import { expect, test } from "vitest";

import {
  captureConfigOf,
  type ConnectorConfig,
} from "../../connectors/capture/debezium-config/index.ts";
import { FatalError } from "../../engine/errors.ts";

const router = {
  transforms: "outbox",
  "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
};

function refusal(config: ConnectorConfig): string {
  try {
    captureConfigOf(config);
  } catch (error) {
    if (error instanceof FatalError && error.code === "config-unsupported") return error.message;
    throw error;
  }
  return "";
}

test("without options the stream is told as Debezium tells it by default", () => {
  const { stream, eventRouter } = captureConfigOf({ "topic.prefix": "p" });
  expect(stream).toMatchObject({
    transactions: "untold",
    tombstones: "written",
    contextHeaders: "written",
    messages: {},
    partitionsAs: "partitions",
    publishes: "all",
  });
  expect([...(stream?.skipped ?? [])]).toEqual(["t"]);
  expect(eventRouter).toBeUndefined();
});

test("operations that are skipped by name aren't published either", () => {
  const { stream } = captureConfigOf({ "skipped.operations": "u, d" });
  expect(stream?.publishes).toBe("unskipped");
  expect([...(stream?.skipped ?? [])]).toEqual(["u", "d"]);
});

test("the outbox router takes its options, and its topics' expression minds case", () => {
  const { eventRouter } = captureConfigOf({
    ...router,
    "transforms.outbox.route.topic.regex": "Shop\\.(?<name>.*)",
    "transforms.outbox.table.fields.additional.placement": "type:header:eventType, part:partition",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
  });
  expect(eventRouter).toMatchObject({
    values: "json",
    keys: "text",
    additional: [
      { column: "type", placement: "header", alias: "eventType" },
      { column: "part", placement: "partition", alias: "part" },
    ],
  });
  expect(eventRouter?.topicExpression.test("shop.x")).toBe(false);
});

test("what isn't supported is refused by name, all of it together", () => {
  const message = refusal({
    ...router,
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "skipped.operations": "x",
    "heartbeat.interval.ms": "soon",
    "transforms.outbox.tracing.span.context.field": "span",
  });
  expect(message).toContain("value.converter.schemas.enable=true");
  expect(message).toContain("skipped.operations=x");
  expect(message).toContain("heartbeat.interval.ms=soon");
  expect(message).toContain("transforms.outbox.tracing.span.context.field=span");
});
