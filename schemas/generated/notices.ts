// Generated from the .avsc files by schemas/generate.ts.
import type { RecordType } from "../event-type.ts";

/** A seat is offered to a student, with all that a message to the student says of it. */
export interface SeatOfferAnnounced {
  readonly studentId: string;
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly moduleTitle: string;
  /** Cents; 0 is free. */
  readonly feeCents: number;
  readonly offerExpiresAt: number;
}

export const SeatOfferAnnounced: RecordType<"SeatOfferAnnounced", SeatOfferAnnounced> = {
  name: "SeatOfferAnnounced",
  fullName: "refold.notices.SeatOfferAnnounced",
  schema: {
    "type": "record",
    "name": "SeatOfferAnnounced",
    "namespace": "refold.notices",
    "doc": "A seat is offered to a student, with all that a message to the student says of it.",
    "fields": [
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "registrationId",
        "type": "string"
      },
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "moduleTitle",
        "type": "string"
      },
      {
        "name": "feeCents",
        "type": "int",
        "doc": "Cents; 0 is free."
      },
      {
        "name": "offerExpiresAt",
        "type": {
          "type": "long",
          "logicalType": "timestamp-millis"
        }
      }
    ]
  },
};
