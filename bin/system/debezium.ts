import {
  avroConverters,
  catalogueConnector,
  eventsConnector,
  type DebeziumConnector,
  type DebeziumSource,
} from "../../connectors/debezium/index.ts";
import type { Definitions } from "./definitions.ts";
import { outboxTables } from "./capture.ts";

export interface DebeziumPart {
  readonly definitions: Pick<Definitions, "changeTopics" | "slotName">;
  /** How the Connect worker reaches the database and the registry. */
  readonly databaseUrl: string;
  readonly registryUrl: string;
  /** Class names that the worker has. */
  readonly plugins: ReadonlySet<string>;
}

/** The connectors that take the embedded capture's place. */
export function debeziumConnectors(part: DebeziumPart): readonly DebeziumConnector[] {
  const source = sourceOf(part.definitions, part.databaseUrl);
  const converters = avroConverters(part.registryUrl, part.plugins);
  return [eventsConnector(source), catalogueConnector(source, converters)];
}

/** Their replication slots. */
export function debeziumSlots(definitions: DebeziumPart["definitions"]): readonly string[] {
  // Names don't depend on addresses.
  const source = sourceOf(definitions, "postgres://localhost/");
  return [eventsConnector(source), catalogueConnector(source, {})].map(({ slot }) => slot);
}

/** The name of the one that publishes the event store's lanes. */
export function eventsConnectorName(definitions: DebeziumPart["definitions"]): string {
  return eventsConnector(sourceOf(definitions, "postgres://localhost/")).name;
}

function sourceOf(
  { changeTopics, slotName }: DebeziumPart["definitions"],
  databaseUrl: string,
): DebeziumSource {
  const tables = changeTopics.map(({ table }) => table);
  return { prefix: slotName, databaseUrl, tables, outboxTables };
}
