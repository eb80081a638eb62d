// Generated from the .avsc files by schemas/generate.ts.
import type { RecordType } from "../event-type.ts";

/** The seats of a module after a flush of its read model; a notice, not a fact. */
export interface SeatAvailableChanged {
  readonly moduleCode: string;
  readonly capacity: number;
  readonly held: number;
  readonly confirmed: number;
  /** max(0, capacity - held - confirmed). */
  readonly available: number;
  /** Token of the position that the read model had reached. */
  readonly sourcePosition: string;
}

export const SeatAvailableChanged: RecordType<"SeatAvailableChanged", SeatAvailableChanged> = {
  name: "SeatAvailableChanged",
  fullName: "refold.updates.SeatAvailableChanged",
  schema: {
    "type": "record",
    "name": "SeatAvailableChanged",
    "namespace": "refold.updates",
    "doc": "The seats of a module after a flush of its read model; a notice, not a fact.",
    "fields": [
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "capacity",
        "type": "int"
      },
      {
        "name": "held",
        "type": "int"
      },
      {
        "name": "confirmed",
        "type": "int"
      },
      {
        "name": "available",
        "type": "int",
        "doc": "max(0, capacity - held - confirmed)."
      },
      {
        "name": "sourcePosition",
        "type": "string",
        "doc": "Token of the position that the read model had reached."
      }
    ]
  },
};
