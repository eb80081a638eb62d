import type {
  ColumnSelection,
  NameAdjustment,
  PublicationMode,
  TableSelection,
} from "../tables/selection.ts";
import { splitList, type ConfigReader } from "./config-reader.ts";

/** The options on tables; topics have one partition here unless the caller says otherwise. */
export function tablesOf(config: ConfigReader, partitions: number): TableSelection {
  return {
    ...given("includeSchemas", config.patterns("schema.include.list")),
    ...given("excludeSchemas", config.patterns("schema.exclude.list")),
    ...given("includeTables", config.patterns("table.include.list")),
    ...given("excludeTables", config.patterns("table.exclude.list")),
    partitions,
  };
}

export function columnsOf(config: ConfigReader): ColumnSelection {
  return {
    ...given("include", config.patterns("column.include.list")),
    ...given("exclude", config.patterns("column.exclude.list")),
    ...given("keys", messageKeys(config)),
  };
}

export function namesOf(config: ConfigReader): NameAdjustment {
  const modes = ["none", "avro", "avro_unicode"] as const;
  return {
    schemas: config.oneOf("schema.name.adjustment.mode", modes, "none"),
    fields: config.oneOf("field.name.adjustment.mode", modes, "none"),
  };
}

export function publicationModeOf(config: ConfigReader): PublicationMode {
  const modes = ["all_tables", "filtered", "disabled", "no_tables"] as const;
  return config.oneOf("publication.autocreate.mode", modes, "all_tables");
}

/** `tables:column,column;tables:column` */
function messageKeys(config: ConfigReader): ColumnSelection["keys"] {
  const name = "message.key.columns";
  const text = config.text(name);
  if (text === undefined) return undefined;
  return text.split(";").flatMap((part) => {
    const at = part.lastIndexOf(":");
    const columns = splitList(part.slice(at + 1));
    return config.pattern(name, part.slice(0, at).trim()).map((tables) => ({ tables, columns }));
  });
}

function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}
