import type {
  ColumnSelection,
  NameAdjustment,
  NamePattern,
  PublicationMode,
  TableSelection,
} from "../tables/selection.ts";
import { splitList, type ConfigReader } from "./config-reader.ts";
import { rewritesOf } from "./rewrites.ts";

/** The options on tables; topics have one partition here unless the caller says otherwise. */
export function tablesOf(config: ConfigReader, partitions: number): TableSelection {
  refuseBoth(config, "schema.include.list", "schema.exclude.list");
  refuseBoth(config, "table.include.list", "table.exclude.list");
  return {
    ...given("includeSchemas", config.patterns("schema.include.list")),
    ...given("excludeSchemas", config.patterns("schema.exclude.list")),
    ...given("includeTables", config.patterns("table.include.list")),
    ...given("excludeTables", config.patterns("table.exclude.list")),
    partitions,
  };
}

export function columnsOf(config: ConfigReader): ColumnSelection {
  refuseBoth(config, "column.include.list", "column.exclude.list");
  // Columns are looked at before every table's first row in either mode.
  const modes = ["columns_diff", "columns_diff_exclude_unchanged_toast"] as const;
  config.oneOf("schema.refresh.mode", modes, "columns_diff");
  return {
    ...given("include", config.patterns("column.include.list")),
    ...given("exclude", config.patterns("column.exclude.list")),
    ...given("keys", messageKeys(config)),
    ...given("rewrites", rewritesOf(config)),
  };
}

export function namesOf(config: ConfigReader): NameAdjustment {
  const modes = ["none", "avro", "avro_unicode"] as const;
  return {
    schemas: config.oneOf("schema.name.adjustment.mode", modes, "none"),
    fields: config.oneOf("field.name.adjustment.mode", modes, "none"),
    delimiter: delimiterOf(config),
  };
}

function delimiterOf(config: ConfigReader): string {
  const delimiter = config.textOr("topic.delimiter", ".");
  if (!/^[A-Za-z0-9._-]+$/.test(delimiter)) {
    config.fault(`topic.delimiter=${delimiter} (topics' names may not have it)`);
  }
  return delimiter;
}

export function publicationModeOf(config: ConfigReader): PublicationMode {
  const modes = ["all_tables", "filtered", "disabled", "no_tables"] as const;
  return config.oneOf("publication.autocreate.mode", modes, "all_tables");
}

function refuseBoth(config: ConfigReader, include: string, exclude: string): void {
  const both = config.patterns(include) && config.patterns(exclude);
  if (both) config.fault(`${include} together with ${exclude}`);
}

/** `tables:column,column;tables:column` */
function messageKeys(config: ConfigReader): readonly NamePattern[] | undefined {
  const name = "message.key.columns";
  const text = config.text(name);
  if (text === undefined) return undefined;
  return text.split(";").flatMap((part) => {
    const at = part.indexOf(":");
    if (at < 0) config.fault(`${name}: ${part} (tables:column,column is needed)`);
    const tables = part.slice(0, at).trim();
    const columns = splitList(part.slice(at + 1));
    return columns.flatMap((column) => config.pattern(name, `${tables}.${column}`));
  });
}

function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}
