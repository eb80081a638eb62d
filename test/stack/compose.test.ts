import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { placeOf } from "../../bin/environment.ts";
import { serversOf } from "../../bin/servers.ts";
import { projectRoot } from "../support/source-tree.ts";

const textOf = (path: string): string => readFileSync(join(projectRoot, "stack", path), "utf8");

const compose = textOf("compose.yaml");

/** `name: value` lines of one block, by its first line. */
function block(first: string): Readonly<Record<string, string>> {
  const [, after = ""] = compose.split(`${first}\n`);
  const indent = /^ */.exec(after)?.[0] ?? "";
  const lines: string[] = [];
  for (const line of after.split("\n")) {
    if (line.trim() !== "" && !line.startsWith(indent)) break;
    lines.push(line.trim());
  }
  const pairs = lines.flatMap((line) => [...line.matchAll(/^([A-Z_]+): "?([^"]*)"?$/g)]);
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, value]));
}

/** A service's own lines. */
function service(name: string): string {
  const [, after = ""] = compose.split(`\n  ${name}:\n`);
  return after.split(/\n {2}[a-z]+:\n|\nvolumes:\n/)[0] ?? "";
}

const environmentOf = (name: string): Readonly<Record<string, string>> => {
  const [, variables = ""] = service(name).split("    environment:\n");
  const lines = variables.split("\n").filter((line) => line.startsWith("      "));
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, variable, value = ""] = /^ {6}([A-Z_]+): "?([^"]*)"?$/.exec(line) ?? [];
      return variable === undefined ? [] : [[variable, value]];
    }),
  );
};

/** The version behind a name in a source file. */
function versionIn(path: string, name: string): string {
  const [, version] =
    new RegExp(`${name.replaceAll(".", "\\.")}:([\\w.]+)`).exec(textOf(path)) ?? [];
  return version ?? `${name} isn't in ${path}`;
}

describe("the compose file runs what the stack without Docker runs", () => {
  test("in the same versions", () => {
    const images = {
      kafka: `apache/kafka:${versionIn("services/kafka.ts", "kafka_2.13")}`,
      registry: `apicurio/apicurio-registry:${versionIn("services/registry.ts", "apicurio-registry-app")}`,
    };
    for (const [name, image] of Object.entries(images)) expect(service(name)).toContain(image);
    const debezium = versionIn("services/connect.ts", "debezium-connector-postgres");
    expect(textOf("connect/Dockerfile")).toContain(`FROM quay.io/debezium/connect:${debezium}\n`);
    const converter = versionIn("services/connect.ts", "apicurio-registry-utils-converter");
    expect(textOf("connect/pom.xml")).toContain(`<version>${converter}</version>`);
  });

  test("with the same libraries left out of the converter", () => {
    const [, list = ""] =
      /const withoutLibraries = \[([^\]]*)\]/.exec(textOf("services/connect.ts")) ?? [];
    const left = [...list.matchAll(/"([\w-]+)"/g)].map(([, name]) => name);
    const [, excluded = ""] = /-DexcludeArtifactIds=(\S+)/.exec(textOf("connect/Dockerfile")) ?? [];
    expect(left.length).toBeGreaterThan(3);
    expect(excluded.split(",")).toEqual(left);
  });

  test("with the same settings of the broker, but for its places and ports", () => {
    const [, properties = ""] = textOf("services/kafka.ts").split("function brokerProperties");
    const wanted = [...properties.matchAll(/^ {4}"([\w.]+)": "?([\w,-]+)"?,$/gm)]
      .map(([, name = "", value = ""]) => [name, value] as const)
      .filter(([name]) => !/listener|voters/.test(name));
    expect(wanted.length).toBeGreaterThan(8);
    const environment = environmentOf("kafka");
    for (const [name, value] of wanted) {
      if (name === "log.dirs") continue;
      const variable = `KAFKA_${name.replaceAll(".", "_").toUpperCase()}`;
      expect([variable, environment[variable]]).toEqual([variable, value]);
    }
  });
});

/** What Compose makes of `${NAME:-default}`, by the variables of the shell. */
function interpolated(
  settings: Readonly<Record<string, string>>,
  shell: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const filled = (text: string): string =>
    text.replaceAll(
      /\$\{([A-Z_]+):-([^}]*)\}/g,
      (_, name: string, unset: string) => shell[name] || unset,
    );
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, filled(value)] as const),
  );
}

describe("Refold's processes of the compose file", () => {
  const written = block("  environment:");
  const settings = interpolated(written, {});

  test("get settings that they take", () => {
    const servers = serversOf(settings);
    expect(servers).toMatchObject({
      capture: "debezium",
      kafka: { brokers: ["127.0.0.1:9092"] },
      redisUrl: "redis://127.0.0.1:6379",
    });
    expect(servers.connectUrl).toBeDefined();
    expect(servers.registryUrl).toBeDefined();
  });

  test("pay by the sandbox, where the shell names no provider", () => {
    expect(placeOf({}, settings)).toMatchObject({
      paymentSettings: { provider: "sandbox", autoCard: undefined },
      offerMs: 900_000,
      servers: { deadLetterRetentionMs: 30 * 86_400_000 },
    });
    const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    const shell = {
      DLQ_RETENTION_DAYS: "7",
      REFOLD_OFFER_TIME: "60",
      REFOLD_PAYMENTS: "webhook",
      REFOLD_PAYMENTS_URL: "https://payments.example/v1",
      REFOLD_PAYMENTS_SECRET: secret,
    };
    expect(placeOf({}, interpolated(written, shell))).toMatchObject({
      paymentSettings: { provider: "webhook", url: shell.REFOLD_PAYMENTS_URL },
      offerMs: 60_000,
      servers: { deadLetterRetentionMs: 7 * 86_400_000 },
    });
  });

  test("and Connect reach the same database and registry by different names", () => {
    const { fromConnect, registryUrl } = serversOf(settings);
    const own = new URL(settings["DATABASE_URL"] ?? "");
    const theirs = new URL(fromConnect.databaseUrl ?? "");
    expect([theirs.username, theirs.password, theirs.pathname]).toEqual([
      own.username,
      own.password,
      own.pathname,
    ]);
    expect(compose).toContain(`\n  ${theirs.hostname}:\n`);
    const registry = new URL(fromConnect.registryUrl ?? "");
    expect(registry.pathname).toBe(new URL(registryUrl ?? "").pathname);
    expect(service(registry.hostname)).toContain(`:8081:${registry.port}"`);
  });

  test("reach servers on the ports that these publish, on loopback only", () => {
    const published = [...compose.matchAll(/ports: \["([\d.]+):(\d+):\d+"\]/g)];
    expect(new Set(published.map(([, host]) => host))).toEqual(new Set(["127.0.0.1"]));
    const ports = new Set(published.map(([, , port]) => port));
    const urls = ["DATABASE_URL", "SCHEMA_REGISTRY_URL", "CONNECT_URL", "REDIS_URL"];
    for (const name of urls) expect(ports).toContain(new URL(settings[name] ?? "").port);
    expect(ports).toContain(settings["KAFKA_BROKERS"]?.split(":")[1]);
  });

  test("wait for servers that have a health check, and every server has one", () => {
    const waits = [...compose.matchAll(/(\w+): \{ condition: service_healthy \}/g)];
    const waitedFor = new Set(waits.map(([, name = ""]) => name));
    expect(waitedFor).toEqual(new Set(["postgres", "kafka", "registry", "connect", "redis"]));
    for (const name of waitedFor) expect(service(name), name).toContain("healthcheck:");
  });
});
