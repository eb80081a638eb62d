import type { Pool } from "pg";

import type { ConnectClient } from "../../connectors/debezium/index.ts";
import { readConnectors } from "../connectors/report.ts";
import { debeziumConnectors } from "../system/debezium.ts";
import type { Definitions } from "../system/definitions.ts";
import type { Findings } from "./finding.ts";

const debezium = "io.debezium.connector.postgresql.PostgresConnector";

/** The oldest release that was held against the embedded capture. */
const debeziumMajorMin = 3;

/** Kafka Connect: the worker, its plug-ins, and the connectors. */
export async function lookAtConnect(
  found: Findings,
  part: {
    readonly client: ConnectClient;
    readonly pool: Pool;
    readonly definitions: Definitions;
    readonly databaseUrl: string;
    readonly registryUrl: string | undefined;
  },
): Promise<void> {
  const { client, pool, definitions, databaseUrl, registryUrl } = part;
  found.ok(`worker of Kafka ${await client.version()}`);
  const plugins = await client.plugins();
  const version = plugins.get(debezium);
  if (version === undefined) {
    return found.fault(
      "the worker has no Debezium connector for Postgres",
      "Add debezium-connector-postgres to a folder of its plugin.path and restart it.",
    );
  }
  if (Number.parseInt(version, 10) >= debeziumMajorMin) found.ok(`Debezium ${version}`);
  else found.warning(`Debezium ${version}`, `Use ${debeziumMajorMin}.0 or later.`);
  if (registryUrl === undefined) {
    return found.fault("there is no registry for its Avro", "Set SCHEMA_REGISTRY_URL.");
  }
  const connectors = debeziumConnectors({
    definitions,
    databaseUrl,
    registryUrl,
    plugins: new Set(plugins.keys()),
  });
  for (const report of await readConnectors({ connect: client, pool, connectors })) {
    if (report.faults.length === 0) found.ok(`connector ${report.name} runs`);
    for (const fault of report.faults) {
      const [what = "", ...fix] = fault.split(/: (?=run )|(?<=\.) (?=Run |Correct )/);
      found.fault(`connector ${report.name}: ${what}`, fix.join(" "));
    }
  }
}
