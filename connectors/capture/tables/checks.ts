import { FatalError } from "../../../engine/errors.ts";
import { converterOf } from "../types/resolve.ts";
import type { CatalogueColumn, CatalogueTable } from "./catalogue.ts";
import { avroName } from "./names.ts";

/** All that keeps a table from being captured, a sentence each; empty where nothing does. */
export function tableFaults(table: CatalogueTable): string[] {
  const name = `${table.schema}.${table.table}`;
  const columns = table.columns.filter((column) => !column.generated);
  return [
    ...columns.flatMap((column) => columnFaults(`${name}.${column.name}`, column)),
    ...identityFaults(name, table),
    ...nameFaults(name, columns),
  ];
}

function columnFaults(path: string, column: CatalogueColumn): string[] {
  const faults: string[] = [];
  if (!converterOf(column.type)) {
    faults.push(`${path} has the type ${column.sqlType}, which capture can't tell in Avro`);
  }
  if (column.nullable && column.default) {
    faults.push(
      `${path} is nullable and has a DEFAULT, so that readers can't tell NULL from the default: ` +
        `make it NOT NULL or drop the default`,
    );
  }
  return faults;
}

function identityFaults(name: string, table: CatalogueTable): string[] {
  const { replicaIdentity } = table;
  if (replicaIdentity === "default" || replicaIdentity === "full") return [];
  return [
    `${name} has REPLICA IDENTITY ${replicaIdentity.toUpperCase()}, under which a delete doesn't ` +
      `tell the primary key: alter table ${name} replica identity default`,
  ];
}

function nameFaults(name: string, columns: readonly CatalogueColumn[]): string[] {
  const byField = Map.groupBy(columns, (column) => avroName(column.name));
  return [...byField]
    .filter(([, same]) => same.length > 1)
    .map(([field, same]) => {
      const names = same.map((column) => column.name).join(", ");
      return `${name} has columns (${names}) that are all the field ${field} in Avro: rename one`;
    });
}

export function refuse(faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new FatalError(
    "table-unsupported",
    `These tables can't be captured as they are: ${faults.join("; ")}.`,
    "Change the columns named here, or leave the table out of the capture.",
  );
}
