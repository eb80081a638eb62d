import type { ClientBase } from "pg";

import type { RecordHeader } from "../../../engine/ports/record-log.ts";
import type { CaptureSettings, CapturedTable } from "../options.ts";
import type { Relation } from "../pgoutput/messages.ts";
import type { Route } from "../routing/change.ts";
import { contextHeaders } from "../routing/context-headers.ts";
import type { SourceIdentity } from "../routing/envelope.ts";
import { OutboxRoute } from "../routing/outbox-route.ts";
import { defaultEventRouter } from "../routing/event-router.ts";
import { register } from "../routing/registered.ts";
import { RouterRoute } from "../routing/router-route.ts";
import { TableRoute } from "../routing/table-route.ts";
import { readTable, type CatalogueTable } from "./catalogue.ts";
import { refuse, tableFaults } from "./checks.ts";
import { codeTable, type CodedTable, type StreamColumn } from "./coded-table.ts";
import { namespaceOf, parseTableName, topicName } from "./names.ts";
import { tableSchemas } from "./schemas.ts";
import { selectsTable } from "./selection.ts";
import { TypeCatalogue } from "./type-catalogue.ts";

/** What tells the rows of a captured table: its own envelopes, or events. */
export type RowRoute = TableRoute | RouterRoute;

/** The tables of a capture: what the catalogue says of them, and the routes that write them. */
export class CapturedTables {
  readonly #settings: CaptureSettings;
  readonly #client: ClientBase;
  readonly #types: TypeCatalogue;
  readonly #source: SourceIdentity;
  readonly #headers: readonly RecordHeader[];

  constructor(settings: CaptureSettings, client: ClientBase, database: string) {
    this.#settings = settings;
    this.#client = client;
    this.#types = new TypeCatalogue(client);
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
      const table = await this.#read(name);
      faults.push(...(table ? this.#faults(table) : [`${name} does not exist`]));
    }
    for (const name of this.#settings.outboxTables) {
      if (!(await this.#read(name))) faults.push(`the outbox table ${name} does not exist`);
    }
    refuse(faults);
  }

  /** The route of a table as the stream describes it; undefined where it isn't captured. */
  async route(relation: Relation): Promise<Route | undefined> {
    const name = `${relation.schema}.${relation.table}`;
    if (this.#settings.outboxTables.includes(name)) {
      const columnNames = relation.columns.map((column) => column.name);
      return new OutboxRoute(name, columnNames);
    }
    const captured = this.#captured(relation);
    if (!captured) return undefined;
    const table = keyedAsStreamed((await this.#read(name)) ?? goneTable(relation), relation);
    refuse(this.#faults(table));
    return this.#tableRoute(captured, table, relation.columns);
  }

  /** The route of a table for rows that were read from it, with these columns. */
  async tableRoute(captured: CapturedTable, columnNames: readonly string[]): Promise<RowRoute> {
    const table = await this.definition(captured);
    const columns = columnNames.flatMap(
      (name) => table.columns.find((column) => column.name === name) ?? [],
    );
    return this.#tableRoute(captured, table, columns);
  }

  /** Names of the columns that a snapshot reads. */
  snapshotColumns(table: CatalogueTable): string[] {
    const isTold = this.#settings.values.ambiguous === "told";
    return table.columns
      .filter((column) => isTold || !column.generated)
      .map((column) => column.name);
  }

  /** A captured table as it is now, checked again: it may have changed since the start. */
  async definition(captured: CapturedTable): Promise<CatalogueTable> {
    const table = await this.#read(captured.name);
    if (!table) refuse([`${captured.name} does not exist any more`]);
    const found = table as CatalogueTable;
    refuse(this.#faults(found));
    return found;
  }

  /** Listed, found at the start, or made since then under a name that is selected. */
  #captured(relation: Relation): CapturedTable | undefined {
    const { tables, selection } = this.#settings;
    const name = `${relation.schema}.${relation.table}`;
    const listed = tables.find((table) => table.name === name);
    if (listed || !selection || !selectsTable(selection, relation)) return listed;
    return { name, partitions: selection.partitions };
  }

  #read(name: string): Promise<CatalogueTable | undefined> {
    return readTable({ client: this.#client, types: this.#types }, parseTableName(name));
  }

  #faults(table: CatalogueTable): string[] {
    return tableFaults(table, this.#settings);
  }

  async #tableRoute(
    captured: CapturedTable,
    table: CatalogueTable,
    columns: readonly StreamColumn[],
  ): Promise<RowRoute> {
    const { registry, clock, names, values } = this.#settings;
    const coding = { types: this.#types, modes: values, selection: this.#settings.columns };
    const coded = await codeTable(table, columns, coding);
    const topic = topicName(this.#settings, table);
    if (this.#settings.eventRouter) return this.#routerRoute(captured, table, coded);
    const schemas = tableSchemas(namespaceOf(topic, names.schemas), coded, names);
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

  #routerRoute(captured: CapturedTable, table: CatalogueTable, coded: CodedTable): RouterRoute {
    const { registry, clock, names, stream, eventRouter } = this.#settings;
    const namespace = namespaceOf(topicName(this.#settings, table), names.schemas);
    return new RouterRoute({
      router: eventRouter ?? defaultEventRouter,
      table: { schema: table.schema, table: table.table, coded },
      names,
      namespace,
      keySchema: tableSchemas(namespace, coded, names).key,
      partitions: captured.partitions,
      registry,
      shape: stream,
      headers: this.#headers,
      nowMs: () => clock.nowMs(),
    });
  }
}

/**
 * The catalogue may be ahead of the stream, and have another primary key than these rows had. The
 * stream marks the key's columns, though not their order, nor those of a key that is deferrable.
 */
function keyedAsStreamed(table: CatalogueTable, relation: Relation): CatalogueTable {
  const marked = relation.columns.filter((column) => column.identity).map(({ name }) => name);
  if (relation.replicaIdentity !== "d" || marked.length === 0) return table;
  const { primaryKey } = table;
  const isSame =
    marked.length === primaryKey.length && marked.every((at) => primaryKey.includes(at));
  return isSame ? table : { ...table, primaryKey: marked };
}

/** A table that was dropped after these rows: what the stream says of it is all there is. */
function goneTable(relation: Relation): CatalogueTable {
  const identity = relation.columns.filter((column) => column.identity);
  return {
    schema: relation.schema,
    table: relation.table,
    oid: relation.oid,
    columns: [],
    primaryKey: relation.replicaIdentity === "d" ? identity.map((column) => column.name) : [],
    uniqueIndex: [],
    replicaIdentity: relation.replicaIdentity === "f" ? "full" : "default",
  };
}
