import type { ClientBase } from "pg";

import type { RecordHeader } from "../../../engine/ports/record-log.ts";
import type { CaptureSettings, CapturedTable } from "../options.ts";
import { contextHeaders } from "../routing/context-headers.ts";
import type { SourceIdentity } from "../routing/envelope.ts";
import { OutboxRoute } from "../routing/outbox-route.ts";
import { register } from "../routing/registered.ts";
import { TableRoute } from "../routing/table-route.ts";
import { readTable, type CatalogueTable } from "./catalogue.ts";
import { refuse, tableFaults } from "./checks.ts";
import { parseTableName, topicName, type TableName } from "./names.ts";
import { tableSchemas } from "./schemas.ts";
import { codeTable } from "./table-codec.ts";

/** The tables of a capture: what the catalogue says of them, and the routes that write them. */
export class CapturedTables {
  readonly #settings: CaptureSettings;
  readonly #client: ClientBase;
  readonly #source: SourceIdentity;
  readonly #headers: readonly RecordHeader[];

  constructor(settings: CaptureSettings, client: ClientBase, database: string) {
    this.#settings = settings;
    this.#client = client;
    this.#source = { version: settings.version, name: settings.prefix, database };
    const { stream, prefix, runId } = settings;
    this.#headers = stream.contextHeaders === "written" ? contextHeaders(prefix, runId) : [];
  }

  /** What every envelope says of its source. */
  get source(): SourceIdentity {
    return this.#source;
  }

  /** @throws FatalError `table-unsupported` naming everything that stands against a table. */
  async check(): Promise<void> {
    const faults: string[] = [];
    for (const { name } of this.#settings.tables) {
      const table = await readTable(this.#client, parseTableName(name));
      faults.push(...(table ? tableFaults(table) : [`${name} does not exist`]));
    }
    for (const name of this.#settings.outboxTables) {
      const table = await readTable(this.#client, parseTableName(name));
      if (!table) faults.push(`the outbox table ${name} does not exist`);
    }
    refuse(faults);
  }

  /** The route of a table whose rows have these columns; undefined where it isn't captured. */
  async route(
    name: TableName,
    columnNames: readonly string[],
  ): Promise<TableRoute | OutboxRoute | undefined> {
    const fullName = `${name.schema}.${name.table}`;
    if (this.#settings.outboxTables.includes(fullName)) {
      return new OutboxRoute(fullName, columnNames);
    }
    const captured = this.#settings.tables.find((table) => table.name === fullName);
    return captured && this.tableRoute(captured, columnNames);
  }

  async tableRoute(captured: CapturedTable, columnNames: readonly string[]): Promise<TableRoute> {
    const table = await this.definition(captured);
    const coded = codeTable(table, columnNames);
    const topic = topicName(this.#settings.prefix, table);
    const schemas = tableSchemas(topic, coded);
    const { registry, clock } = this.#settings;
    const key = schemas.key && (await register(registry, `${topic}-key`, schemas.key));
    const value = await register(registry, `${topic}-value`, schemas.value);
    return new TableRoute({
      topic,
      partitions: captured.partitions,
      table: { schema: table.schema, table: table.table, coded },
      source: this.#source,
      schemaIds: { key: key === undefined || key === "" ? undefined : key, value },
      keySchema: schemas.key,
      shape: this.#settings.stream,
      headers: this.#headers,
      nowMs: () => clock.nowMs(),
    });
  }

  /** A captured table as it is now, checked again: it may have changed since the start. */
  async definition(captured: CapturedTable): Promise<CatalogueTable> {
    const table = await readTable(this.#client, parseTableName(captured.name));
    if (!table) refuse([`${captured.name} does not exist any more`]);
    const found = table as CatalogueTable;
    refuse(tableFaults(found));
    return found;
  }
}
