// Generated from the .avsc files by schemas/generate.ts.
import type { RecordType } from "../event-type.ts";

/** A row of catalogue.modules as its change capture writes it; times are RFC 3339 text. */
export interface ModuleRow {
  readonly code: string;
  readonly title: string;
  readonly capacity: number;
  readonly fee_cents: number;
  readonly opens_at: null | string;
  readonly closes_at: null | string;
  readonly updated_at: string;
}

export const ModuleRow: RecordType<"Value", ModuleRow> = {
  name: "Value",
  fullName: "refold.catalogue.modules.Value",
  schema: {
    "type": "record",
    "name": "Value",
    "namespace": "refold.catalogue.modules",
    "doc": "A row of catalogue.modules as its change capture writes it; times are RFC 3339 text.",
    "fields": [
      {
        "name": "code",
        "type": "string"
      },
      {
        "name": "title",
        "type": "string"
      },
      {
        "name": "capacity",
        "type": "int"
      },
      {
        "name": "fee_cents",
        "type": "int"
      },
      {
        "name": "opens_at",
        "type": [
          "null",
          {
            "type": "string",
            "connect.name": "io.debezium.time.ZonedTimestamp"
          }
        ],
        "default": null
      },
      {
        "name": "closes_at",
        "type": [
          "null",
          {
            "type": "string",
            "connect.name": "io.debezium.time.ZonedTimestamp"
          }
        ],
        "default": null
      },
      {
        "name": "updated_at",
        "type": {
          "type": "string",
          "connect.name": "io.debezium.time.ZonedTimestamp"
        }
      }
    ]
  },
};

/** The key of a row of catalogue.modules. */
export interface ModuleRowKey {
  readonly code: string;
}

export const ModuleRowKey: RecordType<"Key", ModuleRowKey> = {
  name: "Key",
  fullName: "refold.catalogue.modules.Key",
  schema: {
    "type": "record",
    "name": "Key",
    "namespace": "refold.catalogue.modules",
    "doc": "The key of a row of catalogue.modules.",
    "fields": [
      {
        "name": "code",
        "type": "string"
      }
    ]
  },
};
