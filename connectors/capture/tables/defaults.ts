import type { ColumnType } from "../types/resolve.ts";

export interface ColumnDefault {
  /** Text of a literal; undefined where a function computes it. */
  readonly literal: string | undefined;
}

/** Types whose defaults Debezium tells (its PostgresDefaultValueConverter), besides enums. */
const toldTypes = new Set(
  (
    "bit varbit bool bpchar varchar text numeric float4 float8 int2 int4 int8 json jsonb xml " +
    "uuid date time timestamp timestamptz interval"
  ).split(" "),
);

const literalShape = /'([^']*(?:''[^']*)*)'/;
const functionShape = /^\(?[A-Za-z0-9_.]+\(.*\)/;
const sessionTimes = new Set(
  "current_timestamp current_time current_date localtime localtimestamp".split(" "),
);

/**
 * What a schema tells of a DEFAULT, out of its expression as Postgres writes it. Nothing is
 * evaluated: a function's result is told as the type's zero, and the first literal of anything else
 * counts, as Debezium has it.
 */
export function readDefault(expression: string, type: ColumnType): ColumnDefault | undefined {
  if (type.array) return undefined;
  if (type.labels) return enumDefault(expression);
  if (type.schema !== "pg_catalog" || !toldTypes.has(type.name)) return undefined;
  if (expression.startsWith("NULL::")) return undefined;
  if (functionShape.test(expression) || sessionTimes.has(expression.toLowerCase())) {
    return { literal: undefined };
  }
  if (!expression.includes("'")) return { literal: expression };
  const quoted = literalShape.exec(expression)?.[1];
  return quoted === undefined ? undefined : { literal: quoted.replaceAll("''", "'") };
}

/** Only a label with its cast: `'ok'::mood`. */
function enumDefault(expression: string): ColumnDefault | undefined {
  const label = /^'(.*)'::(?:(?!::).)+$/s.exec(expression)?.[1];
  return label === undefined ? undefined : { literal: label };
}
