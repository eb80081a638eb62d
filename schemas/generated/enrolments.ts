// Generated from the .avsc files by schemas/generate.ts.
import type { RecordType } from "../event-type.ts";

/** The student has been offered a place to live. */
export interface AccommodationOffered {
  readonly enrolmentId: string;
  readonly studentId: string;
  readonly residence: string;
  readonly room: string;
}

export const AccommodationOffered: RecordType<"AccommodationOffered", AccommodationOffered> = {
  name: "AccommodationOffered",
  fullName: "refold.enrolments.AccommodationOffered",
  schema: {
    "type": "record",
    "name": "AccommodationOffered",
    "namespace": "refold.enrolments",
    "doc": "The student has been offered a place to live.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "residence",
        "type": "string"
      },
      {
        "name": "room",
        "type": "string"
      }
    ]
  },
};

/** All steps are done; what follows is out of the enrolment's hands. */
export interface EnrolmentCompleted {
  readonly enrolmentId: string;
  readonly studentId: string;
  /** Counted from 1. */
  readonly attempt: number;
}

export const EnrolmentCompleted: RecordType<"EnrolmentCompleted", EnrolmentCompleted> = {
  name: "EnrolmentCompleted",
  fullName: "refold.enrolments.EnrolmentCompleted",
  schema: {
    "type": "record",
    "name": "EnrolmentCompleted",
    "namespace": "refold.enrolments",
    "doc": "All steps are done; what follows is out of the enrolment's hands.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "attempt",
        "type": "int",
        "doc": "Counted from 1."
      }
    ]
  },
};

/** A reversed enrolment is taken up again. */
export interface EnrolmentResubmitted {
  readonly enrolmentId: string;
  readonly studentId: string;
  /** The attempt that begins with it. */
  readonly attempt: number;
}

export const EnrolmentResubmitted: RecordType<"EnrolmentResubmitted", EnrolmentResubmitted> = {
  name: "EnrolmentResubmitted",
  fullName: "refold.enrolments.EnrolmentResubmitted",
  schema: {
    "type": "record",
    "name": "EnrolmentResubmitted",
    "namespace": "refold.enrolments",
    "doc": "A reversed enrolment is taken up again.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "attempt",
        "type": "int",
        "doc": "The attempt that begins with it."
      }
    ]
  },
};

/** A step failed, and all that was done before it is undone. */
export interface EnrolmentReversed {
  readonly enrolmentId: string;
  readonly studentId: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** The code of the step that failed. */
  readonly reason: string;
}

export const EnrolmentReversed: RecordType<"EnrolmentReversed", EnrolmentReversed> = {
  name: "EnrolmentReversed",
  fullName: "refold.enrolments.EnrolmentReversed",
  schema: {
    "type": "record",
    "name": "EnrolmentReversed",
    "namespace": "refold.enrolments",
    "doc": "A step failed, and all that was done before it is undone.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "attempt",
        "type": "int",
        "doc": "Counted from 1."
      },
      {
        "name": "reason",
        "type": "string",
        "doc": "The code of the step that failed."
      }
    ]
  },
};

/** A student enrols in several modules at once. */
export interface EnrolmentStarted {
  readonly enrolmentId: string;
  readonly studentId: string;
  readonly moduleCodes: readonly (string)[];
}

export const EnrolmentStarted: RecordType<"EnrolmentStarted", EnrolmentStarted> = {
  name: "EnrolmentStarted",
  fullName: "refold.enrolments.EnrolmentStarted",
  schema: {
    "type": "record",
    "name": "EnrolmentStarted",
    "namespace": "refold.enrolments",
    "doc": "A student enrols in several modules at once.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "moduleCodes",
        "type": {
          "type": "array",
          "items": "string"
        }
      }
    ]
  },
};

/** What a step had done is undone. */
export interface EnrolmentStepCompensated {
  readonly enrolmentId: string;
  readonly studentId: string;
  /** Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101. */
  readonly step: string;
  /** Counted from 1; each resubmission begins another. */
  readonly attempt: number;
}

export const EnrolmentStepCompensated: RecordType<"EnrolmentStepCompensated", EnrolmentStepCompensated> = {
  name: "EnrolmentStepCompensated",
  fullName: "refold.enrolments.EnrolmentStepCompensated",
  schema: {
    "type": "record",
    "name": "EnrolmentStepCompensated",
    "namespace": "refold.enrolments",
    "doc": "What a step had done is undone.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "step",
        "type": "string",
        "doc": "Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101."
      },
      {
        "name": "attempt",
        "type": "int",
        "doc": "Counted from 1; each resubmission begins another."
      }
    ]
  },
};

/** What a step had done is being undone; the end of that is reported later. */
export interface EnrolmentStepCompensating {
  readonly enrolmentId: string;
  readonly studentId: string;
  /** Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101. */
  readonly step: string;
  /** Counted from 1; each resubmission begins another. */
  readonly attempt: number;
}

export const EnrolmentStepCompensating: RecordType<"EnrolmentStepCompensating", EnrolmentStepCompensating> = {
  name: "EnrolmentStepCompensating",
  fullName: "refold.enrolments.EnrolmentStepCompensating",
  schema: {
    "type": "record",
    "name": "EnrolmentStepCompensating",
    "namespace": "refold.enrolments",
    "doc": "What a step had done is being undone; the end of that is reported later.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "step",
        "type": "string",
        "doc": "Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101."
      },
      {
        "name": "attempt",
        "type": "int",
        "doc": "Counted from 1; each resubmission begins another."
      }
    ]
  },
};

/** A step has done its work. */
export interface EnrolmentStepDone {
  readonly enrolmentId: string;
  readonly studentId: string;
  /** Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101. */
  readonly step: string;
  /** Counted from 1; each resubmission begins another. */
  readonly attempt: number;
  /** The registration that the step has to do with. */
  readonly registrationId: null | string;
  /** The payment that the step has to do with. */
  readonly paymentId: null | string;
  /** Cents: what the seat costs, or the payment came to. */
  readonly feeCents: null | number;
}

export const EnrolmentStepDone: RecordType<"EnrolmentStepDone", EnrolmentStepDone> = {
  name: "EnrolmentStepDone",
  fullName: "refold.enrolments.EnrolmentStepDone",
  schema: {
    "type": "record",
    "name": "EnrolmentStepDone",
    "namespace": "refold.enrolments",
    "doc": "A step has done its work.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "step",
        "type": "string",
        "doc": "Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101."
      },
      {
        "name": "attempt",
        "type": "int",
        "doc": "Counted from 1; each resubmission begins another."
      },
      {
        "name": "registrationId",
        "type": [
          "null",
          "string"
        ],
        "default": null,
        "doc": "The registration that the step has to do with."
      },
      {
        "name": "paymentId",
        "type": [
          "null",
          "string"
        ],
        "default": null,
        "doc": "The payment that the step has to do with."
      },
      {
        "name": "feeCents",
        "type": [
          "null",
          "int"
        ],
        "default": null,
        "doc": "Cents: what the seat costs, or the payment came to."
      }
    ]
  },
};

/** A step can't do its work. */
export interface EnrolmentStepFailed {
  readonly enrolmentId: string;
  readonly studentId: string;
  /** Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101. */
  readonly step: string;
  /** Counted from 1; each resubmission begins another. */
  readonly attempt: number;
  /** A code: module-full, CARD_DECLINED, step-timed-out. */
  readonly reason: string;
  /** One sentence for a person. */
  readonly detail: string;
}

export const EnrolmentStepFailed: RecordType<"EnrolmentStepFailed", EnrolmentStepFailed> = {
  name: "EnrolmentStepFailed",
  fullName: "refold.enrolments.EnrolmentStepFailed",
  schema: {
    "type": "record",
    "name": "EnrolmentStepFailed",
    "namespace": "refold.enrolments",
    "doc": "A step can't do its work.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "step",
        "type": "string",
        "doc": "Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101."
      },
      {
        "name": "attempt",
        "type": "int",
        "doc": "Counted from 1; each resubmission begins another."
      },
      {
        "name": "reason",
        "type": "string",
        "doc": "A code: module-full, CARD_DECLINED, step-timed-out."
      },
      {
        "name": "detail",
        "type": "string",
        "doc": "One sentence for a person."
      }
    ]
  },
};

/** A step has begun whose end is reported later. */
export interface EnrolmentStepStarted {
  readonly enrolmentId: string;
  readonly studentId: string;
  /** Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101. */
  readonly step: string;
  /** Counted from 1; each resubmission begins another. */
  readonly attempt: number;
  /** The registration that the step has to do with. */
  readonly registrationId: null | string;
  /** The payment that the step has to do with. */
  readonly paymentId: null | string;
  /** It fails when nothing was reported until then. */
  readonly dueAt: null | number;
}

export const EnrolmentStepStarted: RecordType<"EnrolmentStepStarted", EnrolmentStepStarted> = {
  name: "EnrolmentStepStarted",
  fullName: "refold.enrolments.EnrolmentStepStarted",
  schema: {
    "type": "record",
    "name": "EnrolmentStepStarted",
    "namespace": "refold.enrolments",
    "doc": "A step has begun whose end is reported later.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "step",
        "type": "string",
        "doc": "Its name, unique in the enrolment: reserve/CS101, payment, confirm/CS101."
      },
      {
        "name": "attempt",
        "type": "int",
        "doc": "Counted from 1; each resubmission begins another."
      },
      {
        "name": "registrationId",
        "type": [
          "null",
          "string"
        ],
        "default": null,
        "doc": "The registration that the step has to do with."
      },
      {
        "name": "paymentId",
        "type": [
          "null",
          "string"
        ],
        "default": null,
        "doc": "The payment that the step has to do with."
      },
      {
        "name": "dueAt",
        "type": [
          "null",
          {
            "type": "long",
            "logicalType": "timestamp-millis"
          }
        ],
        "default": null,
        "doc": "It fails when nothing was reported until then."
      }
    ]
  },
};

/** The library has issued the student's card. */
export interface LibraryCardIssued {
  readonly enrolmentId: string;
  readonly studentId: string;
  readonly cardNumber: string;
}

export const LibraryCardIssued: RecordType<"LibraryCardIssued", LibraryCardIssued> = {
  name: "LibraryCardIssued",
  fullName: "refold.enrolments.LibraryCardIssued",
  schema: {
    "type": "record",
    "name": "LibraryCardIssued",
    "namespace": "refold.enrolments",
    "doc": "The library has issued the student's card.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      },
      {
        "name": "cardNumber",
        "type": "string"
      }
    ]
  },
};

/** Everybody who takes part in welcoming the student has reported. */
export interface OnboardingFinished {
  readonly enrolmentId: string;
  readonly studentId: string;
}

export const OnboardingFinished: RecordType<"OnboardingFinished", OnboardingFinished> = {
  name: "OnboardingFinished",
  fullName: "refold.enrolments.OnboardingFinished",
  schema: {
    "type": "record",
    "name": "OnboardingFinished",
    "namespace": "refold.enrolments",
    "doc": "Everybody who takes part in welcoming the student has reported.",
    "fields": [
      {
        "name": "enrolmentId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string"
      }
    ]
  },
};
