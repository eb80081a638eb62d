import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { CommandFailure } from "../../bin/command-failure.ts";
import { placeOf } from "../../bin/environment.ts";
import { embeddedServers, serversOf } from "../../bin/servers.ts";

async function fileOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "refold-settings-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "settings");
  await writeFile(path, text);
  return path;
}

test("everything is embedded where nothing is set, or set to nothing", () => {
  expect(serversOf({})).toEqual(embeddedServers);
  const nothing = { KAFKA_BROKERS: "", DATABASE_URL: "", CAPTURE: "" };
  expect(placeOf({}, nothing)).toMatchObject({ databaseUrl: undefined, servers: embeddedServers });
});

test("Debezium captures where the log is Kafka, unless it is told otherwise", () => {
  expect(serversOf({ KAFKA_BROKERS: "a:9092" }).capture).toBe("debezium");
  expect(serversOf({ KAFKA_BROKERS: "a:9092", CAPTURE: "embedded" }).capture).toBe("embedded");
});

test("brokers, TLS and credentials of Kafka are read together", async () => {
  const ca = await fileOf("-----BEGIN CERTIFICATE-----");
  const { kafka } = serversOf({
    KAFKA_BROKERS: "a:9092, b:9093",
    KAFKA_TLS_CA: ca,
    KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
    KAFKA_USERNAME: "ann",
    KAFKA_PASSWORD: "secret",
  });
  expect(kafka).toEqual({
    brokers: ["a:9092", "b:9093"],
    tls: { ca: "-----BEGIN CERTIFICATE-----" },
    sasl: { mechanism: "scram-sha-512", username: "ann", password: "secret" },
  });
});

test("every setting that can't be used is named at once, without its secrets", () => {
  const read = (): unknown =>
    serversOf({
      KAFKA_BROKERS: "nowhere",
      KAFKA_USERNAME: "ann",
      KAFKA_SASL_MECHANISM: "kerberos",
      KAFKA_TLS: "yes",
      SCHEMA_REGISTRY_URL: "registry:8081",
      REDIS_URL: "http://redis",
      CAPTURE: "none",
    });
  expect(read).toThrow(CommandFailure);
  for (const name of [
    /KAFKA_BROKERS must be host:port/,
    /KAFKA_USERNAME and KAFKA_PASSWORD go together/,
    /KAFKA_SASL_MECHANISM must be one of plain/,
    /KAFKA_TLS must be on or off/,
    /SCHEMA_REGISTRY_URL must be a URL \(http, https\)/,
    /REDIS_URL must be a URL \(redis, rediss\)/,
    /CAPTURE must be embedded or debezium/,
  ]) {
    expect(read).toThrow(name);
  }
  expect(() => serversOf({ CAPTURE: "debezium" })).toThrow(/set KAFKA_BROKERS too/);
});

test("options win over the environment, and the environment over the file", async () => {
  const envFile = await fileOf(
    "DATABASE_URL=postgres://file/\nREFOLD_DATA=file\nREDIS_URL=redis://file/\n",
  );
  const place = placeOf(
    { envFile, databaseUrl: "postgres://option/" },
    { DATABASE_URL: "postgres://environment/", REFOLD_DATA: "/environment" },
  );
  expect(place.databaseUrl).toBe("postgres://option/");
  expect(place.dataFolder).toBe("/environment");
  expect(place.servers.redisUrl).toBe("redis://file/");
  expect(() => placeOf({ envFile: "/nowhere" }, {})).toThrow(/\/nowhere can't be read \(ENOENT\)/);
});

test("the time that a freed seat is offered for is a number of seconds", () => {
  expect(placeOf({}, {}).offerMs).toBe(900_000);
  expect(placeOf({}, { REFOLD_OFFER_TIME: "20" }).offerMs).toBe(20_000);
  for (const time of ["0", "soon", "1.5", "-1", "2592001"]) {
    const told = /REFOLD_OFFER_TIME is a whole number of seconds from 1 to 2592000/;
    expect(() => placeOf({}, { REFOLD_OFFER_TIME: time })).toThrow(told);
  }
});

test("the rest between audits is a number of seconds, and the option wins over the environment", () => {
  expect(placeOf({}, {}).auditRestMs).toBe(60_000);
  expect(placeOf({}, { REFOLD_AUDIT_REST: "5" }).auditRestMs).toBe(5_000);
  expect(placeOf({ auditRest: "1" }, { REFOLD_AUDIT_REST: "5" }).auditRestMs).toBe(1_000);
  for (const auditRest of ["0", "soon", "1.5", "-1", "86401"]) {
    const told = /--audit-rest \(REFOLD_AUDIT_REST\) is a whole number of seconds from 1 to 86400/;
    expect(() => placeOf({ auditRest }, {})).toThrow(told);
  }
});
