import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { runCommand } from "../../stack/services/commands.ts";
import { findJava } from "../../stack/services/java.ts";
import { kafkaLibraries } from "../../stack/services/kafka.ts";
import { freePort, isListening, startServer } from "../../stack/services/process.ts";
import { writeProperties } from "../../stack/services/properties.ts";
import type { Service } from "../../stack/services/service.ts";

export interface TestBrokerOptions {
  /** Settings beside or instead of the usual ones. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** `host:port` at which clients of a listener are told to come, where it isn't its own. */
  readonly advertised?: Readonly<Record<string, string>>;
  /** Protocols of further listeners, by their names. */
  readonly listeners?: Readonly<
    Record<string, "PLAINTEXT" | "SASL_PLAINTEXT" | "SASL_SSL" | "SSL">
  >;
  /** As StorageTool takes them: `SCRAM-SHA-256=[name=...,password=...]`. */
  readonly scram?: readonly string[];
  /** The broker whose cluster this one joins, as its node of this number (2 and up). */
  readonly joins?: { readonly broker: TestBroker; readonly nodeId: number };
  /** Of the Java machine's heap, in MiB. */
  readonly heapMb?: number;
}

/**
 * A broker of a test's own, which may be killed and started again on the same data and port. Plain
 * on `address`; further listeners on `addressOf(name)`.
 */
export class TestBroker implements AsyncDisposable {
  readonly folder: string;
  readonly clusterId: string;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #command: { readonly java: string; readonly args: readonly string[] };
  #service: Service | undefined;

  private constructor(made: {
    readonly folder: string;
    readonly clusterId: string;
    readonly ports: ReadonlyMap<string, number>;
    readonly command: { readonly java: string; readonly args: readonly string[] };
  }) {
    this.folder = made.folder;
    this.clusterId = made.clusterId;
    this.#ports = made.ports;
    this.#command = made.command;
  }

  static async start(options: TestBrokerOptions = {}): Promise<TestBroker> {
    const cache = join(homedir(), ".cache", "refold", "stack");
    await mkdir(cache, { recursive: true });
    const [{ java }, libraries] = await Promise.all([findJava(17), kafkaLibraries(cache)]);
    const folder = await mkdtemp(join(tmpdir(), "refold-kafka-"));
    const ports = new Map<string, number>();
    const listeners = Object.keys(options.listeners ?? {});
    const own = options.joins ? ["PLAIN"] : ["PLAIN", "CONTROLLER"];
    for (const name of [...own, ...listeners]) ports.set(name, await freePort());
    const properties = join(folder, "server.properties");
    await writeProperties(properties, settingsOf(folder, ports, options));
    const classpath = ["-cp", join(libraries, "*")];
    const scram = (options.scram ?? []).flatMap((user) => ["--add-scram", user]);
    const clusterId = options.joins?.broker.clusterId ?? randomBytes(16).toString("base64url");
    const format = ["kafka.tools.StorageTool", "format"];
    await runCommand({
      program: java,
      args: [...classpath, ...format, `--cluster-id=${clusterId}`, "-c", properties, ...scram],
      remedy: "See the broker's settings.",
    });
    const heap = `-Xmx${options.heapMb ?? 384}m`;
    const args = [heap, ...classpath, "kafka.Kafka", properties];
    const broker = new TestBroker({ folder, clusterId, ports, command: { java, args } });
    await broker.startAgain();
    return broker;
  }

  get address(): string {
    return this.addressOf("PLAIN");
  }

  addressOf(listener: string): string {
    return `127.0.0.1:${this.#ports.get(listener)}`;
  }

  async startAgain(): Promise<void> {
    const port = this.#ports.get("PLAIN") ?? 0;
    this.#service = await startServer({
      name: "kafka",
      url: this.address,
      command: this.#command.java,
      args: this.#command.args,
      folder: this.folder,
      isReady: () => isListening(port),
      startTimeoutMs: 60_000,
    });
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
  }

  /** Without a chance to put anything in order. */
  async kill(): Promise<void> {
    const pid = this.#service?.pid;
    if (pid !== undefined) process.kill(pid, "SIGKILL");
    // Ends when the process has ended.
    await this.#service?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function settingsOf(
  folder: string,
  ports: ReadonlyMap<string, number>,
  { listeners = {}, advertised = {}, settings = {}, joins }: TestBrokerOptions,
): Record<string, string | number> {
  const addresses = [...ports].map(([name, port]) => `${name}://127.0.0.1:${port}`);
  const protocols = { PLAIN: "PLAINTEXT", CONTROLLER: "PLAINTEXT", ...listeners };
  return {
    "process.roles": joins ? "broker" : "broker,controller",
    "node.id": joins?.nodeId ?? 1,
    "controller.quorum.voters": `1@${
      joins?.broker.addressOf("CONTROLLER") ?? `127.0.0.1:${ports.get("CONTROLLER")}`
    }`,
    listeners: addresses.join(","),
    "advertised.listeners": [...ports]
      .filter(([name]) => name !== "CONTROLLER")
      .map(([name, port]) => `${name}://${advertised[name] ?? `127.0.0.1:${port}`}`)
      .join(","),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAIN",
    "listener.security.protocol.map": Object.entries(protocols)
      .map(([name, protocol]) => `${name}:${protocol}`)
      .join(","),
    "log.dirs": join(folder, "log"),
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 2,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "auto.create.topics.enable": "false",
    "log.retention.hours": -1,
    // A broker that was killed may come back only when its session is over.
    "broker.session.timeout.ms": 1_500,
    "broker.heartbeat.interval.ms": 300,
    ...settings,
  };
}
