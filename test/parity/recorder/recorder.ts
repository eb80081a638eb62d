import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ask, dropDatabase, execute, remakeDatabase } from "../database.ts";
import { encodingsOf, NumberedSchemas, schemaIds, toldEvents } from "../decode.ts";
import { parseExactly } from "../exact-json.ts";
import type { Scenario } from "../scenario.ts";
import { ConnectClient } from "./connect-client.ts";
import { connectorConfig, recordedConfig } from "./connector-config.ts";
import { ConnectorRun, type EndedRun } from "./connector-run.ts";

/** The servers of the stack. */
export interface Servers {
  readonly postgresUrl: string;
  readonly connectUrl: string;
  /** The registry's Confluent-compatible routes. */
  readonly registryUrl: string;
}

/** Runs scenarios through the real connector, each in a database of its own. */
export class Recorder {
  readonly #servers: Servers;
  readonly #connect: ConnectClient;
  /** Schemas that were fetched; a registry never changes one. */
  readonly #schemas = new Map<number, string>();

  constructor(servers: Servers) {
    this.#servers = servers;
    this.#connect = new ConnectClient(servers.connectUrl);
  }

  /** The scenario with what the connector wrote, or how it failed. */
  async record(scenario: Scenario): Promise<Scenario> {
    const config = recordedConfig(scenario);
    const database = config["database.dbname"] ?? scenario.name;
    const folder = await mkdtemp(join(tmpdir(), "refold-recording-"));
    const recordingPath = join(folder, "records");
    const { postgresUrl, registryUrl } = this.#servers;
    const databaseUrl = await remakeDatabase(postgresUrl, database);
    const run = new ConnectorRun({
      connect: this.#connect,
      name: `${scenario.name}-${randomBytes(4).toString("hex")}`,
      databaseUrl,
      slot: config["slot.name"] ?? scenario.name,
      recordingPath,
    });
    try {
      await execute(databaseUrl, scenario.ddl);
      const given = connectorConfig(config, { databaseUrl, registryUrl, recordingPath });
      return await this.#recording({ ...scenario, config }, await run.run(scenario, given));
    } finally {
      await run.remove();
      await dropDatabase(postgresUrl, database);
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #recording(scenario: Scenario, run: EndedRun): Promise<Scenario> {
    const encodings = encodingsOf(scenario.config);
    for (const id of schemaIds(run.records, encodings)) await this.#fetchSchema(id);
    const schemas = new NumberedSchemas((id) => this.#schemas.get(id));
    const events = toldEvents(run.records, schemas, encodings);
    const { ddl, dml, config } = scenario;
    return {
      ...aboutOf(scenario),
      recordedWith: await this.#recordedWith(),
      ddl,
      dml,
      config,
      ...(run.sqlErrors.length === 0 ? {} : { sqlErrors: run.sqlErrors }),
      ...(run.failure === undefined ? {} : { connectorFailed: run.failure }),
      complete: run.complete,
      schemas: schemas.parsed(parseExactly),
      events,
    };
  }

  async #fetchSchema(id: number): Promise<void> {
    if (this.#schemas.has(id)) return;
    const response = await fetch(`${this.#servers.registryUrl}/schemas/ids/${id}`);
    const body = (await response.json()) as { schema?: string };
    if (body.schema === undefined) throw new Error(`The registry has no schema ${id}.`);
    this.#schemas.set(id, body.schema);
  }

  async #recordedWith(): Promise<Record<string, string>> {
    const { postgresUrl } = this.#servers;
    const postgres = String(await ask(postgresUrl, "show server_version", []));
    const zone = String(await ask(postgresUrl, "show timezone", []));
    return {
      debezium: "3.6.3.Final",
      kafka: "4.3.1",
      postgres: postgres.split(" ")[0] ?? postgres,
      serverTimeZone: zone,
      converter: "apicurio 2.6.13.Final, Confluent wire format",
    };
  }
}

/** What the scenario's author said of it. */
function aboutOf(scenario: Scenario): Pick<Scenario, "name" | "about" | "deterministic" | "note"> {
  const { name, about, deterministic = true, note } = scenario;
  return {
    name,
    ...(about === undefined ? {} : { about }),
    deterministic,
    ...(note === undefined ? {} : { note }),
  };
}
