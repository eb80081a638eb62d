import { present, type Tuple } from "../pgoutput/tuple.ts";
import type { AvroType, AvroTypeObject } from "../types/converter.ts";
import type { EventRouter } from "./event-router.ts";
import { expandedJson } from "./expanded-json.ts";
import type { RouterColumns } from "./router-columns.ts";
import { base, isNull } from "./side.ts";

/** A key or value in Avro, without a frame. */
export interface EventValue {
  readonly type: AvroType;
  readonly encoded: Buffer;
  /** Avro's converter writes nothing for it; JSON's writes null. */
  readonly isNull: boolean;
}

export interface RouterValueOptions {
  readonly router: EventRouter;
  readonly columns: RouterColumns;
  readonly namespace: string;
}

/** Makes the values of events: the payload alone, or with columns beside it in an envelope. */
export class RouterValue {
  readonly #options: RouterValueOptions;
  readonly #placed: RouterColumns["additional"];
  /** By version and payload: the first event's routing value names the envelope for all. */
  readonly #envelopes = new Map<string, AvroType>();

  constructor(options: RouterValueOptions) {
    this.#options = options;
    this.#placed = options.columns.additional.filter(({ placement }) => placement === "envelope");
  }

  /** undefined: a tombstone. */
  of(row: Tuple, routedBy: string): EventValue | undefined {
    const payload = this.#payload(row);
    const { router } = this.#options;
    if (router.emptyPayload === "tombstone" && this.#isEmpty(row)) return undefined;
    return this.#placed.length === 0 ? payload : this.#envelope(payload, row, routedBy);
  }

  #payload(row: Tuple): EventValue {
    const { router, columns } = this.#options;
    const text = columns.text(columns.payload, row);
    if (router.jsonPayload === "expanded" && text !== undefined && this.#isText()) {
      const expanded = expandedJson(text, router.jsonNulls);
      if (expanded) return { ...expanded, isNull: false };
    }
    const encoded = columns.encoded(columns.payload, row);
    const { type } = columns.payload;
    return { type, encoded, isNull: isNull(type, encoded) };
  }

  #isText(): boolean {
    const type = base(this.#options.columns.payload.type);
    return (
      type === "string" || (typeof type === "object" && "type" in type && type.type === "string")
    );
  }

  /** Bytes are never empty: Java tells the buffer itself. */
  #isEmpty(row: Tuple): boolean {
    const { columns } = this.#options;
    if (row.kind[columns.payload.column.at] !== present) return true;
    return this.#isText() && columns.text(columns.payload, row)?.trim() === "";
  }

  #envelope(payload: EventValue, row: Tuple, routedBy: string): EventValue {
    const { columns } = this.#options;
    const parts = this.#placed.map((column) => columns.encoded(column, row));
    const type = this.#envelopeType(payload.type, row, routedBy);
    return { type, encoded: Buffer.concat([payload.encoded, ...parts]), isNull: false };
  }

  #envelopeType(payload: AvroType, row: Tuple, routedBy: string): AvroType {
    const { columns, namespace } = this.#options;
    const version = columns.schemaVersion && columns.text(columns.schemaVersion, row);
    const key = version ?? JSON.stringify(payload);
    let type = this.#envelopes.get(key);
    if (!type) {
      const fields = [{ alias: "payload", type: payload }, ...this.#placed].map(fieldOf);
      const space = `${namespace}.${routedBy}`;
      type = envelopeOf(space, fields, version);
      this.#envelopes.set(key, type);
    }
    return type;
  }
}

function fieldOf({ alias, type }: { alias: string; type: AvroType }): object {
  const isNullable = Array.isArray(type) && type[0] === "null";
  return isNullable ? { name: alias, type, default: null } : { name: alias, type };
}

function envelopeOf(
  namespace: string,
  fields: readonly object[],
  version: string | undefined,
): AvroTypeObject {
  return {
    type: "record",
    name: "Value",
    namespace,
    fields,
    ...(version === undefined ? {} : { "connect.version": Number(version) }),
    "connect.name": `${namespace}.Value`,
  };
}
