import { FatalError } from "../../../engine/errors.ts";
import { AvroWriter } from "../avro-writer.ts";
import type { Tuple } from "../pgoutput/tuple.ts";
import { present } from "../pgoutput/tuple.ts";
import type { CodedColumn, CodedTable } from "../tables/table-codec.ts";
import { writeColumn } from "../tables/table-codec.ts";
import { FieldMaker } from "../tables/fields.ts";
import { fieldName } from "../tables/names.ts";
import type { NameAdjustment } from "../tables/selection.ts";
import type { AvroType } from "../types/converter.ts";
import type { EventRouter } from "./event-router.ts";

/** A column of an outbox table with the Avro schema that its values have. */
export interface RouterColumn {
  readonly column: CodedColumn;
  readonly type: AvroType;
}

/** An additional column and where it goes. */
export interface PlacedColumn extends RouterColumn {
  readonly placement: EventRouter["additional"][number]["placement"];
  readonly alias: string;
}

/** The columns of an outbox table by what they mean to the router. */
export class RouterColumns {
  readonly id: RouterColumn;
  readonly key: RouterColumn;
  readonly payload: RouterColumn;
  readonly route: RouterColumn;
  readonly timestamp: RouterColumn | undefined;
  readonly schemaVersion: RouterColumn | undefined;
  readonly additional: readonly PlacedColumn[];
  readonly #table: CodedTable;
  readonly #names: NameAdjustment["fields"];
  readonly #writer = new AvroWriter(65_536);

  /**
   * Columns go by their fields' names.
   *
   * @throws FatalError `outbox-columns` naming the columns that the table doesn't have.
   */
  constructor(
    name: string,
    { coded, router, names }: { coded: CodedTable; router: EventRouter; names: NameAdjustment },
  ) {
    this.#table = coded;
    this.#names = names.fields;
    const missing: string[] = [];
    const find = (wanted: string): RouterColumn => {
      const found = this.#find(wanted);
      if (!found) missing.push(wanted);
      // Never used where it is missing: the constructor throws.
      return found as RouterColumn;
    };
    const { fields } = router;
    this.id = find(fields.eventId);
    this.key = find(fields.eventKey);
    this.payload = find(fields.payload);
    this.route = find(router.routeByField);
    this.timestamp = fields.timestamp === undefined ? undefined : find(fields.timestamp);
    this.schemaVersion =
      fields.schemaVersion === undefined ? undefined : find(fields.schemaVersion);
    this.additional = router.additional.flatMap(({ column, placement, alias }) => {
      const found = router.additionalMissing === "error" ? find(column) : this.#find(column);
      return found ? [{ ...found, placement, alias }] : [];
    });
    if (missing.length > 0) throw columnsMissing(name, missing);
  }

  /** A column's value in Avro, without a frame. */
  encoded({ column }: RouterColumn, row: Tuple): Buffer {
    writeColumn(this.#writer, column, { row, missing: this.#table.missing });
    return this.#writer.finish();
  }

  /** A column's text as Postgres writes it; undefined for null. */
  text({ column }: RouterColumn, row: Tuple): string | undefined {
    return row.kind[column.at] === present ? row.text(column.at) : undefined;
  }

  #find(wanted: string): RouterColumn | undefined {
    const column = this.#table.told.find((one) => fieldName(one.name, this.#names) === wanted);
    if (!column) return undefined;
    const field = new FieldMaker(this.#names).field(column) as { type: AvroType };
    return { column, type: field.type };
  }
}

function columnsMissing(table: string, missing: readonly string[]): FatalError {
  return new FatalError(
    "outbox-columns",
    `The outbox table ${table} has no column ${missing.join(", ")}.`,
    "Name the columns in the outbox router's options, or leave the table out of the capture.",
  );
}
