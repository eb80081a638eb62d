// Generated from the .avsc files by schemas/generate.ts.
import type { RecordType } from "../event-type.ts";

/** A module has another number of seats. */
export interface ModuleCapacityChanged {
  readonly moduleCode: string;
  /** Seats, 0 or more; may be below those taken. */
  readonly capacity: number;
}

export const ModuleCapacityChanged: RecordType<"ModuleCapacityChanged", ModuleCapacityChanged> = {
  name: "ModuleCapacityChanged",
  fullName: "refold.modules.ModuleCapacityChanged",
  schema: {
    "type": "record",
    "name": "ModuleCapacityChanged",
    "namespace": "refold.modules",
    "doc": "A module has another number of seats.",
    "fields": [
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "capacity",
        "type": "int",
        "doc": "Seats, 0 or more; may be below those taken."
      }
    ]
  },
};

/** The title, fee or window of a module is another; its capacity is not. */
export interface ModuleDetailsChanged {
  readonly moduleCode: string;
  readonly title: string;
  /** Cents; 0 is free. */
  readonly feeCents: number;
  /** Registration opens at this time; null: no bound. */
  readonly opensAt: null | number;
  /** Registration closes at this time; null: no bound. */
  readonly closesAt: null | number;
}

export const ModuleDetailsChanged: RecordType<"ModuleDetailsChanged", ModuleDetailsChanged> = {
  name: "ModuleDetailsChanged",
  fullName: "refold.modules.ModuleDetailsChanged",
  schema: {
    "type": "record",
    "name": "ModuleDetailsChanged",
    "namespace": "refold.modules",
    "doc": "The title, fee or window of a module is another; its capacity is not.",
    "fields": [
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "title",
        "type": "string"
      },
      {
        "name": "feeCents",
        "type": "int",
        "doc": "Cents; 0 is free."
      },
      {
        "name": "opensAt",
        "type": [
          "null",
          {
            "type": "long",
            "logicalType": "timestamp-millis"
          }
        ],
        "default": null,
        "doc": "Registration opens at this time; null: no bound."
      },
      {
        "name": "closesAt",
        "type": [
          "null",
          {
            "type": "long",
            "logicalType": "timestamp-millis"
          }
        ],
        "default": null,
        "doc": "Registration closes at this time; null: no bound."
      }
    ]
  },
};

/** A module can be registered for. */
export interface ModuleOffered {
  readonly moduleCode: string;
  readonly title: string;
  /** Seats, 0 or more. */
  readonly capacity: number;
  /** Cents; 0 is free. */
  readonly feeCents: number;
  /** Registration opens at this time; null: no bound. */
  readonly opensAt: null | number;
  /** Registration closes at this time; null: no bound. */
  readonly closesAt: null | number;
}

export const ModuleOffered: RecordType<"ModuleOffered", ModuleOffered> = {
  name: "ModuleOffered",
  fullName: "refold.modules.ModuleOffered",
  schema: {
    "type": "record",
    "name": "ModuleOffered",
    "namespace": "refold.modules",
    "doc": "A module can be registered for.",
    "fields": [
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "title",
        "type": "string"
      },
      {
        "name": "capacity",
        "type": "int",
        "doc": "Seats, 0 or more."
      },
      {
        "name": "feeCents",
        "type": "int",
        "doc": "Cents; 0 is free."
      },
      {
        "name": "opensAt",
        "type": [
          "null",
          {
            "type": "long",
            "logicalType": "timestamp-millis"
          }
        ],
        "default": null,
        "doc": "Registration opens at this time; null: no bound."
      },
      {
        "name": "closesAt",
        "type": [
          "null",
          {
            "type": "long",
            "logicalType": "timestamp-millis"
          }
        ],
        "default": null,
        "doc": "Registration closes at this time; null: no bound."
      }
    ]
  },
};

/** A module is no longer offered. */
export interface ModuleWithdrawn {
  readonly moduleCode: string;
}

export const ModuleWithdrawn: RecordType<"ModuleWithdrawn", ModuleWithdrawn> = {
  name: "ModuleWithdrawn",
  fullName: "refold.modules.ModuleWithdrawn",
  schema: {
    "type": "record",
    "name": "ModuleWithdrawn",
    "namespace": "refold.modules",
    "doc": "A module is no longer offered.",
    "fields": [
      {
        "name": "moduleCode",
        "type": "string"
      }
    ]
  },
};
