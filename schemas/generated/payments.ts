// Generated from the .avsc files by schemas/generate.ts.
import type { RecordType } from "../event-type.ts";

/** A provider has charged the amount; perhaps after the deadline. */
export interface PaymentConfirmed {
  readonly paymentId: string;
  /** Cents. */
  readonly amountCents: number;
  readonly studentId: string;
  /** What is paid for. */
  readonly subjectType: "UNKNOWN" | "REGISTRATION" | "ENROLMENT";
  /** The registration or the enrolment. */
  readonly subjectId: string;
  /** What the amount is made of. */
  readonly registrations: readonly ({ readonly registrationId: string; readonly moduleCode: string; readonly amountCents: number })[];
  readonly provider: string;
  /** The charge, as the provider names it. */
  readonly reference: string;
}

export const PaymentConfirmed: RecordType<"PaymentConfirmed", PaymentConfirmed> = {
  name: "PaymentConfirmed",
  fullName: "refold.payments.PaymentConfirmed",
  schema: {
    "type": "record",
    "name": "PaymentConfirmed",
    "namespace": "refold.payments",
    "doc": "A provider has charged the amount; perhaps after the deadline.",
    "fields": [
      {
        "name": "paymentId",
        "type": "string"
      },
      {
        "name": "amountCents",
        "type": "int",
        "doc": "Cents."
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "subjectType",
        "doc": "What is paid for.",
        "type": {
          "type": "enum",
          "name": "PaymentSubject",
          "doc": "UNKNOWN is never written: a reader sees it in place of a subject that is newer than itself.",
          "symbols": [
            "UNKNOWN",
            "REGISTRATION",
            "ENROLMENT"
          ],
          "default": "UNKNOWN"
        }
      },
      {
        "name": "subjectId",
        "type": "string",
        "doc": "The registration or the enrolment."
      },
      {
        "name": "registrations",
        "doc": "What the amount is made of.",
        "type": {
          "type": "array",
          "items": {
            "type": "record",
            "name": "PaidRegistration",
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
                "name": "amountCents",
                "type": "int",
                "doc": "Cents."
              }
            ]
          }
        }
      },
      {
        "name": "provider",
        "type": "string"
      },
      {
        "name": "reference",
        "type": "string",
        "doc": "The charge, as the provider names it."
      }
    ]
  },
};

/** No confirmation came in time. */
export interface PaymentDeadlinePassed {
  readonly paymentId: string;
  /** Cents. */
  readonly amountCents: number;
  readonly studentId: string;
  /** What is paid for. */
  readonly subjectType: "UNKNOWN" | "REGISTRATION" | "ENROLMENT";
  /** The registration or the enrolment. */
  readonly subjectId: string;
  /** What the amount is made of. */
  readonly registrations: readonly ({ readonly registrationId: string; readonly moduleCode: string; readonly amountCents: number })[];
}

export const PaymentDeadlinePassed: RecordType<"PaymentDeadlinePassed", PaymentDeadlinePassed> = {
  name: "PaymentDeadlinePassed",
  fullName: "refold.payments.PaymentDeadlinePassed",
  schema: {
    "type": "record",
    "name": "PaymentDeadlinePassed",
    "namespace": "refold.payments",
    "doc": "No confirmation came in time.",
    "fields": [
      {
        "name": "paymentId",
        "type": "string"
      },
      {
        "name": "amountCents",
        "type": "int",
        "doc": "Cents."
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "subjectType",
        "doc": "What is paid for.",
        "type": {
          "type": "enum",
          "name": "PaymentSubject",
          "doc": "UNKNOWN is never written: a reader sees it in place of a subject that is newer than itself.",
          "symbols": [
            "UNKNOWN",
            "REGISTRATION",
            "ENROLMENT"
          ],
          "default": "UNKNOWN"
        }
      },
      {
        "name": "subjectId",
        "type": "string",
        "doc": "The registration or the enrolment."
      },
      {
        "name": "registrations",
        "doc": "What the amount is made of.",
        "type": {
          "type": "array",
          "items": {
            "type": "record",
            "name": "PaidRegistration",
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
                "name": "amountCents",
                "type": "int",
                "doc": "Cents."
              }
            ]
          }
        }
      }
    ]
  },
};

/** A provider has refused the charge for good. */
export interface PaymentFailed {
  readonly paymentId: string;
  /** Cents. */
  readonly amountCents: number;
  readonly studentId: string;
  /** What is paid for. */
  readonly subjectType: "UNKNOWN" | "REGISTRATION" | "ENROLMENT";
  /** The registration or the enrolment. */
  readonly subjectId: string;
  /** What the amount is made of. */
  readonly registrations: readonly ({ readonly registrationId: string; readonly moduleCode: string; readonly amountCents: number })[];
  readonly provider: string;
  /** A code of the provider: CARD_DECLINED. */
  readonly reason: string;
}

export const PaymentFailed: RecordType<"PaymentFailed", PaymentFailed> = {
  name: "PaymentFailed",
  fullName: "refold.payments.PaymentFailed",
  schema: {
    "type": "record",
    "name": "PaymentFailed",
    "namespace": "refold.payments",
    "doc": "A provider has refused the charge for good.",
    "fields": [
      {
        "name": "paymentId",
        "type": "string"
      },
      {
        "name": "amountCents",
        "type": "int",
        "doc": "Cents."
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "subjectType",
        "doc": "What is paid for.",
        "type": {
          "type": "enum",
          "name": "PaymentSubject",
          "doc": "UNKNOWN is never written: a reader sees it in place of a subject that is newer than itself.",
          "symbols": [
            "UNKNOWN",
            "REGISTRATION",
            "ENROLMENT"
          ],
          "default": "UNKNOWN"
        }
      },
      {
        "name": "subjectId",
        "type": "string",
        "doc": "The registration or the enrolment."
      },
      {
        "name": "registrations",
        "doc": "What the amount is made of.",
        "type": {
          "type": "array",
          "items": {
            "type": "record",
            "name": "PaidRegistration",
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
                "name": "amountCents",
                "type": "int",
                "doc": "Cents."
              }
            ]
          }
        }
      },
      {
        "name": "provider",
        "type": "string"
      },
      {
        "name": "reason",
        "type": "string",
        "doc": "A code of the provider: CARD_DECLINED."
      }
    ]
  },
};

/** A provider has paid back what was charged for these registrations. */
export interface PaymentRefunded {
  readonly paymentId: string;
  /** Cents paid back by this refund. */
  readonly amountCents: number;
  readonly studentId: string;
  /** What is paid for. */
  readonly subjectType: "UNKNOWN" | "REGISTRATION" | "ENROLMENT";
  /** The registration or the enrolment. */
  readonly subjectId: string;
  /** What the amount is made of. */
  readonly registrations: readonly ({ readonly registrationId: string; readonly moduleCode: string; readonly amountCents: number })[];
  readonly provider: string;
  /** The refund, as the provider names it. */
  readonly reference: string;
  /** Why the registration ended, or LATE: it had ended before the charge. */
  readonly reason: string;
}

export const PaymentRefunded: RecordType<"PaymentRefunded", PaymentRefunded> = {
  name: "PaymentRefunded",
  fullName: "refold.payments.PaymentRefunded",
  schema: {
    "type": "record",
    "name": "PaymentRefunded",
    "namespace": "refold.payments",
    "doc": "A provider has paid back what was charged for these registrations.",
    "fields": [
      {
        "name": "paymentId",
        "type": "string"
      },
      {
        "name": "amountCents",
        "type": "int",
        "doc": "Cents paid back by this refund."
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "subjectType",
        "doc": "What is paid for.",
        "type": {
          "type": "enum",
          "name": "PaymentSubject",
          "doc": "UNKNOWN is never written: a reader sees it in place of a subject that is newer than itself.",
          "symbols": [
            "UNKNOWN",
            "REGISTRATION",
            "ENROLMENT"
          ],
          "default": "UNKNOWN"
        }
      },
      {
        "name": "subjectId",
        "type": "string",
        "doc": "The registration or the enrolment."
      },
      {
        "name": "registrations",
        "doc": "What the amount is made of.",
        "type": {
          "type": "array",
          "items": {
            "type": "record",
            "name": "PaidRegistration",
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
                "name": "amountCents",
                "type": "int",
                "doc": "Cents."
              }
            ]
          }
        }
      },
      {
        "name": "provider",
        "type": "string"
      },
      {
        "name": "reference",
        "type": "string",
        "doc": "The refund, as the provider names it."
      },
      {
        "name": "reason",
        "type": "string",
        "doc": "Why the registration ended, or LATE: it had ended before the charge."
      }
    ]
  },
};

/** A student owes a payment. */
export interface PaymentRequested {
  readonly paymentId: string;
  /** Cents. */
  readonly amountCents: number;
  readonly studentId: string;
  /** What is paid for. */
  readonly subjectType: "UNKNOWN" | "REGISTRATION" | "ENROLMENT";
  /** The registration or the enrolment. */
  readonly subjectId: string;
  /** What the amount is made of. */
  readonly registrations: readonly ({ readonly registrationId: string; readonly moduleCode: string; readonly amountCents: number })[];
  /** It has to be confirmed before this time. */
  readonly expiresAt: number;
}

export const PaymentRequested: RecordType<"PaymentRequested", PaymentRequested> = {
  name: "PaymentRequested",
  fullName: "refold.payments.PaymentRequested",
  schema: {
    "type": "record",
    "name": "PaymentRequested",
    "namespace": "refold.payments",
    "doc": "A student owes a payment.",
    "fields": [
      {
        "name": "paymentId",
        "type": "string"
      },
      {
        "name": "amountCents",
        "type": "int",
        "doc": "Cents."
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "subjectType",
        "doc": "What is paid for.",
        "type": {
          "type": "enum",
          "name": "PaymentSubject",
          "doc": "UNKNOWN is never written: a reader sees it in place of a subject that is newer than itself.",
          "symbols": [
            "UNKNOWN",
            "REGISTRATION",
            "ENROLMENT"
          ],
          "default": "UNKNOWN"
        }
      },
      {
        "name": "subjectId",
        "type": "string",
        "doc": "The registration or the enrolment."
      },
      {
        "name": "registrations",
        "doc": "What the amount is made of.",
        "type": {
          "type": "array",
          "items": {
            "type": "record",
            "name": "PaidRegistration",
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
                "name": "amountCents",
                "type": "int",
                "doc": "Cents."
              }
            ]
          }
        }
      },
      {
        "name": "expiresAt",
        "type": {
          "type": "long",
          "logicalType": "timestamp-millis"
        },
        "doc": "It has to be confirmed before this time."
      }
    ]
  },
};

/** The student has given a card, and its charge has been asked for. */
export interface PaymentStarted {
  readonly paymentId: string;
  /** Cents. */
  readonly amountCents: number;
  readonly studentId: string;
  /** What is paid for. */
  readonly subjectType: "UNKNOWN" | "REGISTRATION" | "ENROLMENT";
  /** The registration or the enrolment. */
  readonly subjectId: string;
  /** What the amount is made of. */
  readonly registrations: readonly ({ readonly registrationId: string; readonly moduleCode: string; readonly amountCents: number })[];
}

export const PaymentStarted: RecordType<"PaymentStarted", PaymentStarted> = {
  name: "PaymentStarted",
  fullName: "refold.payments.PaymentStarted",
  schema: {
    "type": "record",
    "name": "PaymentStarted",
    "namespace": "refold.payments",
    "doc": "The student has given a card, and its charge has been asked for.",
    "fields": [
      {
        "name": "paymentId",
        "type": "string"
      },
      {
        "name": "amountCents",
        "type": "int",
        "doc": "Cents."
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "subjectType",
        "doc": "What is paid for.",
        "type": {
          "type": "enum",
          "name": "PaymentSubject",
          "doc": "UNKNOWN is never written: a reader sees it in place of a subject that is newer than itself.",
          "symbols": [
            "UNKNOWN",
            "REGISTRATION",
            "ENROLMENT"
          ],
          "default": "UNKNOWN"
        }
      },
      {
        "name": "subjectId",
        "type": "string",
        "doc": "The registration or the enrolment."
      },
      {
        "name": "registrations",
        "doc": "What the amount is made of.",
        "type": {
          "type": "array",
          "items": {
            "type": "record",
            "name": "PaidRegistration",
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
                "name": "amountCents",
                "type": "int",
                "doc": "Cents."
              }
            ]
          }
        }
      }
    ]
  },
};
