import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { KafkaSasl } from "../../connectors/kafka/index.ts";
import { findJava } from "../../stack/services/java.ts";
import { appendOf, fromStart, readRecords, recordOf } from "../record-log/records.ts";
import { TestBroker } from "../support/kafka-broker.ts";
import { clusterOfTest, logOfTest, newTopicName } from "./cluster-of-test.ts";

const run = promisify(execFile);
const password = "correct-horse";

/** A certificate for loopback, as the broker wants it and as its clients do. */
async function makeCertificate(folder: string): Promise<{ keystore: string; ca: string }> {
  const keytool = join(dirname((await findJava(17)).java), "keytool");
  const keystore = join(folder, "broker.p12");
  const store = ["-keystore", keystore, "-storepass", "changeit", "-alias", "broker"];
  const name = ["-dname", "CN=localhost", "-ext", "SAN=IP:127.0.0.1", "-validity", "2"];
  await run(keytool, ["-genkeypair", "-keyalg", "RSA", "-storetype", "PKCS12", ...store, ...name]);
  const pem = join(folder, "broker.pem");
  await run(keytool, ["-exportcert", "-rfc", "-file", pem, ...store]);
  return { keystore, ca: await readFile(pem, "utf8") };
}

describe("a broker that wants credentials", () => {
  let broker: TestBroker;
  let folder: string;
  let ca: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "refold-keys-"));
    const made = await makeCertificate(folder);
    ca = made.ca;
    const plain = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
    const jaas: Record<string, string> = {};
    for (const listener of ["open", "secret"]) {
      const prefix = `listener.name.${listener}`;
      jaas[`${prefix}.sasl.enabled.mechanisms`] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512";
      jaas[`${prefix}.plain.sasl.jaas.config`] = `${plain} user_alice="${password}";`;
      jaas[`${prefix}.scram-sha-256.sasl.jaas.config`] = scram;
      jaas[`${prefix}.scram-sha-512.sasl.jaas.config`] = scram;
    }
    broker = await TestBroker.start({
      listeners: { OPEN: "SASL_PLAINTEXT", SECRET: "SASL_SSL" },
      scram: ["256", "512"].map(
        (bits) => `SCRAM-SHA-${bits}=[name="alice",password="${password}"]`,
      ),
      settings: {
        ...jaas,
        "listener.name.secret.ssl.keystore.location": made.keystore,
        "listener.name.secret.ssl.keystore.password": "changeit",
        "listener.name.secret.ssl.key.password": "changeit",
      },
    });
  });

  afterAll(async () => {
    await broker[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const alice = (mechanism: KafkaSasl["mechanism"]): KafkaSasl => ({
    mechanism,
    username: "alice",
    password,
  });

  test.for(["plain", "scram-sha-256", "scram-sha-512"] as const)(
    "lets us append and read by %s, with TLS and without",
    async (mechanism) => {
      for (const tls of [undefined, { ca }]) {
        const brokers = [broker.addressOf(tls ? "SECRET" : "OPEN")];
        const options = { brokers, sasl: alice(mechanism), ...(tls ? { tls } : {}) };
        const log = logOfTest({}, clusterOfTest(options));
        const topic = newTopicName();
        await log.ensureTopic({ name: topic, partitions: 1 });
        await log.append([appendOf(topic, 0, [recordOf("a")])]);
        const seen = await readRecords(log, { topic, from: fromStart(0), until: "end" });
        expect(seen.map(({ text }) => text)).toEqual(["a"]);
      }
    },
  );

  test.for(["plain", "scram-sha-256"] as const)(
    "refuses a wrong password by name (%s)",
    async (mechanism) => {
      const sasl = { ...alice(mechanism), password: "wrong" };
      const cluster = clusterOfTest({ brokers: [broker.addressOf("OPEN")], sasl });
      const error = { code: "kafka-authentication", message: expect.stringContaining("alice") };
      await expect(cluster.metadata()).rejects.toMatchObject(error);
    },
  );

  test("a certificate that nobody named is refused by name", async () => {
    const brokers = [broker.addressOf("SECRET")];
    const cluster = clusterOfTest({ brokers, tls: {}, sasl: alice("plain") });
    await expect(cluster.metadata()).rejects.toMatchObject({ code: "kafka-tls" });
  });
});
