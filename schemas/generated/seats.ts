// Generated from the .avsc files by schemas/generate.ts.
import type { RecordType } from "../event-type.ts";

/** A seat is held for a student. */
export interface ModuleRegistered {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  /** Cents; 0 is free. */
  readonly feeCents: number;
  /** The enrolment that it belongs to, which then pays. */
  readonly enrolmentId: null | string;
  /** The hold ends at this time; null: it has no deadline. */
  readonly holdExpiresAt: null | number;
  /** The seat was held for the student already, by an offer to the first in line. */
  readonly acceptedOffer: boolean;
}

export const ModuleRegistered: RecordType<"ModuleRegistered", ModuleRegistered> = {
  name: "ModuleRegistered",
  fullName: "refold.seats.ModuleRegistered",
  schema: {
    "type": "record",
    "name": "ModuleRegistered",
    "namespace": "refold.seats",
    "doc": "A seat is held for a student.",
    "fields": [
      {
        "name": "registrationId",
        "type": "string"
      },
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "feeCents",
        "type": "int",
        "doc": "Cents; 0 is free."
      },
      {
        "name": "enrolmentId",
        "type": [
          "null",
          "string"
        ],
        "default": null,
        "doc": "The enrolment that it belongs to, which then pays."
      },
      {
        "name": "holdExpiresAt",
        "type": [
          "null",
          {
            "type": "long",
            "logicalType": "timestamp-millis"
          }
        ],
        "default": null,
        "doc": "The hold ends at this time; null: it has no deadline."
      },
      {
        "name": "acceptedOffer",
        "type": "boolean",
        "default": false,
        "doc": "The seat was held for the student already, by an offer to the first in line."
      }
    ]
  },
};

/** A held or completed registration ended and its seat is free. */
export interface RegistrationCancelled {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  readonly reason: "UNKNOWN" | "PAYMENT_FAILED" | "PAYMENT_TIMED_OUT" | "WITHDRAWN" | "ENROLMENT_REVERSED" | "MODULE_WITHDRAWN";
  /** What the registration had until now: a fold of the module's seats need not know which. */
  readonly seat: "HELD" | "CONFIRMED";
}

export const RegistrationCancelled: RecordType<"RegistrationCancelled", RegistrationCancelled> = {
  name: "RegistrationCancelled",
  fullName: "refold.seats.RegistrationCancelled",
  schema: {
    "type": "record",
    "name": "RegistrationCancelled",
    "namespace": "refold.seats",
    "doc": "A held or completed registration ended and its seat is free.",
    "fields": [
      {
        "name": "registrationId",
        "type": "string"
      },
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "reason",
        "type": {
          "type": "enum",
          "name": "CancellationReason",
          "doc": "UNKNOWN is never written: a reader sees it in place of a reason that is newer than itself.",
          "symbols": [
            "UNKNOWN",
            "PAYMENT_FAILED",
            "PAYMENT_TIMED_OUT",
            "WITHDRAWN",
            "ENROLMENT_REVERSED",
            "MODULE_WITHDRAWN"
          ],
          "default": "UNKNOWN"
        }
      },
      {
        "name": "seat",
        "doc": "What the registration had until now: a fold of the module's seats need not know which.",
        "type": {
          "type": "enum",
          "name": "TakenSeat",
          "symbols": [
            "HELD",
            "CONFIRMED"
          ],
          "default": "CONFIRMED"
        },
        "default": "CONFIRMED"
      }
    ]
  },
};

/** A held seat is the student's. */
export interface RegistrationCompleted {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
}

export const RegistrationCompleted: RecordType<"RegistrationCompleted", RegistrationCompleted> = {
  name: "RegistrationCompleted",
  fullName: "refold.seats.RegistrationCompleted",
  schema: {
    "type": "record",
    "name": "RegistrationCompleted",
    "namespace": "refold.seats",
    "doc": "A held seat is the student's.",
    "fields": [
      {
        "name": "registrationId",
        "type": "string"
      },
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      }
    ]
  },
};

/** An offered seat was not accepted in time. */
export interface SeatOfferExpired {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
}

export const SeatOfferExpired: RecordType<"SeatOfferExpired", SeatOfferExpired> = {
  name: "SeatOfferExpired",
  fullName: "refold.seats.SeatOfferExpired",
  schema: {
    "type": "record",
    "name": "SeatOfferExpired",
    "namespace": "refold.seats",
    "doc": "An offered seat was not accepted in time.",
    "fields": [
      {
        "name": "registrationId",
        "type": "string"
      },
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      }
    ]
  },
};

/** A seat is held for the first in line. */
export interface SeatOffered {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  readonly offerExpiresAt: number;
}

export const SeatOffered: RecordType<"SeatOffered", SeatOffered> = {
  name: "SeatOffered",
  fullName: "refold.seats.SeatOffered",
  schema: {
    "type": "record",
    "name": "SeatOffered",
    "namespace": "refold.seats",
    "doc": "A seat is held for the first in line.",
    "fields": [
      {
        "name": "registrationId",
        "type": "string"
      },
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
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

/** A student stands in line for a seat; the registration id is given here and kept. */
export interface WaitlistJoined {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
}

export const WaitlistJoined: RecordType<"WaitlistJoined", WaitlistJoined> = {
  name: "WaitlistJoined",
  fullName: "refold.seats.WaitlistJoined",
  schema: {
    "type": "record",
    "name": "WaitlistJoined",
    "namespace": "refold.seats",
    "doc": "A student stands in line for a seat; the registration id is given here and kept.",
    "fields": [
      {
        "name": "registrationId",
        "type": "string"
      },
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      }
    ]
  },
};

/** A student left the line. */
export interface WaitlistLeft {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  /** A seat was held for the student by an offer, and is free again. */
  readonly offered: boolean;
}

export const WaitlistLeft: RecordType<"WaitlistLeft", WaitlistLeft> = {
  name: "WaitlistLeft",
  fullName: "refold.seats.WaitlistLeft",
  schema: {
    "type": "record",
    "name": "WaitlistLeft",
    "namespace": "refold.seats",
    "doc": "A student left the line.",
    "fields": [
      {
        "name": "registrationId",
        "type": "string"
      },
      {
        "name": "moduleCode",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "offered",
        "type": "boolean",
        "default": false,
        "doc": "A seat was held for the student by an offer, and is free again."
      }
    ]
  },
};
