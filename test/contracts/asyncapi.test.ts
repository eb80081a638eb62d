import { readFileSync } from "node:fs";
import { join } from "node:path";

import { AvroSchemaParser } from "@asyncapi/avro-schema-parser";
import { Parser } from "@asyncapi/parser";
import { expect, test } from "vitest";

import { contractText } from "../../bin/commands/schema-contracts.ts";
import { application } from "../../bin/system/definitions.ts";

/** Severities of its diagnostics; what is above only informs. */
const faults: readonly number[] = [0, 1];

/** The parser works for some seconds, longer beside others. */
const parsingMs = 60_000;

test("docs/asyncapi.yaml is what the definitions give", () => {
  const file = join(import.meta.dirname, "../../docs/asyncapi.yaml");
  expect(readFileSync(file, "utf8")).toBe(contractText());
});

test(
  "AsyncAPI's own parser finds nothing wrong, and every topic, event and consumer",
  async () => {
    const parser = new Parser();
    parser.registerSchemaParser(AvroSchemaParser());
    const { document, diagnostics } = await parser.parse(contractText());
    expect(diagnostics.filter(({ severity }) => faults.includes(severity))).toEqual([]);
    if (document === undefined) expect.fail("The parser gave no document.");
    const { eventTopics, changeTopics, processors, projections } = application;
    const channels = document.channels().all();
    expect(names(channels.map((channel) => channel.address()))).toEqual(
      names([...eventTopics, ...changeTopics].map(({ name }) => name)),
    );
    for (const topic of eventTopics) {
      const channel = channels.find((one) => one.address() === topic.name);
      const messages = channel?.messages().all() ?? [];
      expect(names(messages.map((message) => message.name()))).toEqual(
        names(topic.events.map(({ fullName }) => fullName)),
      );
    }
    const receiving = document
      .operations()
      .filterByReceive()
      .map((operation) => operation.id() ?? "");
    for (const { name } of [...processors, ...projections]) {
      expect(receiving.some((id) => id === name || id.startsWith(`${name}-`))).toBe(true);
    }
  },
  parsingMs,
);

const names = (of: readonly unknown[]): readonly string[] => of.map(String).toSorted();
