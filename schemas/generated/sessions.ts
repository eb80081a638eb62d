// Generated from the .avsc files by schemas/generate.ts.
import type { RecordType } from "../event-type.ts";

/** Somebody has signed in. */
export interface SessionCreated {
  readonly sessionId: string;
  /** Who is signed in: a student's id, or a user's name. */
  readonly studentId: string;
  /** What the session may do beside what is the student's own. */
  readonly role: "UNKNOWN" | "STUDENT" | "VIEWER" | "OPERATOR" | "ADMIN";
  /** The session ends at this time. */
  readonly expiresAt: number;
}

export const SessionCreated: RecordType<"SessionCreated", SessionCreated> = {
  name: "SessionCreated",
  fullName: "refold.sessions.SessionCreated",
  schema: {
    "type": "record",
    "name": "SessionCreated",
    "namespace": "refold.sessions",
    "doc": "Somebody has signed in.",
    "fields": [
      {
        "name": "sessionId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string",
        "doc": "Who is signed in: a student's id, or a user's name."
      },
      {
        "name": "role",
        "doc": "What the session may do beside what is the student's own.",
        "type": {
          "type": "enum",
          "name": "Role",
          "doc": "UNKNOWN is never written: a reader sees it in place of a role that is newer than itself.",
          "symbols": [
            "UNKNOWN",
            "STUDENT",
            "VIEWER",
            "OPERATOR",
            "ADMIN"
          ],
          "default": "UNKNOWN"
        }
      },
      {
        "name": "expiresAt",
        "type": {
          "type": "long",
          "logicalType": "timestamp-millis"
        },
        "doc": "The session ends at this time."
      }
    ]
  },
};

/** A session's time is over. */
export interface SessionExpired {
  readonly sessionId: string;
  /** Who is signed in: a student's id, or a user's name. */
  readonly studentId: string;
}

export const SessionExpired: RecordType<"SessionExpired", SessionExpired> = {
  name: "SessionExpired",
  fullName: "refold.sessions.SessionExpired",
  schema: {
    "type": "record",
    "name": "SessionExpired",
    "namespace": "refold.sessions",
    "doc": "A session's time is over.",
    "fields": [
      {
        "name": "sessionId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string",
        "doc": "Who is signed in: a student's id, or a user's name."
      }
    ]
  },
};

/** A session was ended before its time. */
export interface SessionRevoked {
  readonly sessionId: string;
  /** Who is signed in: a student's id, or a user's name. */
  readonly studentId: string;
  readonly reason: "UNKNOWN" | "SIGNED_OUT" | "BY_OPERATOR";
  /** Who ended it; null in what was written before this was told. */
  readonly revokedBy: null | string;
}

export const SessionRevoked: RecordType<"SessionRevoked", SessionRevoked> = {
  name: "SessionRevoked",
  fullName: "refold.sessions.SessionRevoked",
  schema: {
    "type": "record",
    "name": "SessionRevoked",
    "namespace": "refold.sessions",
    "doc": "A session was ended before its time.",
    "fields": [
      {
        "name": "sessionId",
        "type": "string"
      },
      {
        "name": "studentId",
        "type": "string",
        "doc": "Who is signed in: a student's id, or a user's name."
      },
      {
        "name": "reason",
        "type": {
          "type": "enum",
          "name": "RevocationReason",
          "doc": "UNKNOWN is never written: a reader sees it in place of a reason that is newer than itself.",
          "symbols": [
            "UNKNOWN",
            "SIGNED_OUT",
            "BY_OPERATOR"
          ],
          "default": "UNKNOWN"
        }
      },
      {
        "name": "revokedBy",
        "type": [
          "null",
          "string"
        ],
        "default": null,
        "doc": "Who ended it; null in what was written before this was told."
      }
    ]
  },
};
