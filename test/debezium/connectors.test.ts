import { expect, test } from "vitest";

import {
  avroConverters,
  catalogueConnector,
  differing,
  eventsConnector,
  reasonIn,
} from "../../connectors/debezium/index.ts";
import { headerOrder } from "../../engine/envelope.ts";

const source = {
  prefix: "refold",
  databaseUrl: "postgres://ann:s%40d@[::1]/seats",
  tables: ["catalogue.modules"],
  outboxTables: ["refold.events", "refold.notices"],
};
const apicurio = "io.apicurio.registry.utils.converter.AvroConverter";
const confluent = "io.confluent.connect.avro.AvroConverter";

test("every header of the envelope has its column, in the envelope's order", () => {
  const { config } = eventsConnector(source);
  const placed = config["transforms.outbox.table.fields.additional.placement"]?.split(",") ?? [];
  const headers = placed.filter((one) => one.includes(":header:"));
  expect(headers.map((one) => one.split(":header:")[1])).toEqual(headerOrder);
  expect(placed).toContain("content_type:header:content-type");
  expect(placed).toContain("partition:partition");
});

test("the two share neither slot nor publication nor first names of topics", () => {
  const [events, catalogue] = [eventsConnector(source), catalogueConnector(source, {})];
  for (const option of ["slot.name", "publication.name", "topic.prefix"]) {
    expect(events.config[option]).not.toBe(catalogue.config[option]);
  }
});

test("the address of the database is taken apart, credentials decoded", () => {
  expect(eventsConnector(source).config).toMatchObject({
    "database.hostname": "::1",
    "database.port": "5432",
    "database.user": "ann",
    "database.password": "s@d",
    "database.dbname": "seats",
  });
});

test("the converter is the one that speaks with the registry", () => {
  const plugins = new Set([apicurio, confluent]);
  const there = avroConverters("http://host:1/apis/ccompat/v7", plugins);
  expect(there).toMatchObject({
    "key.converter": apicurio,
    "value.converter.apicurio.registry.url": "http://host:1/apis/registry/v2",
  });
  const other = avroConverters("https://ann:secret@host/", plugins);
  expect(other).toMatchObject({
    "value.converter": confluent,
    "value.converter.schema.registry.url": "https://host/",
    "value.converter.basic.auth.user.info": "ann:secret",
  });
  expect(() => avroConverters("http://host:1/", new Set([apicurio]))).toThrow(
    /no Avro converter for the registry at host:1/,
  );
});

test("options that differ are named, whichever side has them", () => {
  const is = { name: "refold-events", "tasks.max": "1", "slot.name": "a", old: "x" };
  expect(differing(is, { "tasks.max": "1", "slot.name": "b", new: "y" })).toEqual([
    "new",
    "old",
    "slot.name",
  ]);
});

test("of a stack trace the causes are told", () => {
  const trace = [
    "org.apache.kafka.connect.errors.ConnectException: it ended",
    "\tat io.debezium.One.two(One.java:1)",
    "Caused by: java.net.ConnectException: Connection refused",
    "\t... 9 more",
  ].join("\n");
  expect(reasonIn(trace)).toBe(
    "org.apache.kafka.connect.errors.ConnectException: it ended Cause: " +
      "java.net.ConnectException: Connection refused",
  );
});
