import { nullable, type RowOf, text, timestamp } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { sessionEvents } from "../../schemas/topics.ts";

const columns = {
  sessionId: text(),
  /** A student's id, or a user's name. */
  studentId: text(),
  /** `STUDENT`, `VIEWER`, `OPERATOR` or `ADMIN`. */
  role: text(),
  /** `active`, `expired` or `revoked`. */
  status: text(),
  createdAt: timestamp(),
  expiresAt: timestamp(),
  endedAt: nullable(timestamp()),
  /** Why it was revoked. */
  reason: nullable(text()),
};

export type SessionRow = RowOf<typeof columns>;

/** Every session that ever was, with how it stands. */
export const sessions = defineProjection({
  name: "sessions",
  version: 1,
  from: sessionEvents,
  row: columns,
  indexes: [
    ["studentId", "createdAt"],
    ["status", "createdAt"],
  ],
  key: "sessionId",
  history: (sessionId) => [`session:${sessionId}`],
  on: {
    SessionCreated: (_, { sessionId, studentId, role, expiresAt }, meta): SessionRow => ({
      sessionId,
      studentId,
      role,
      status: "active",
      createdAt: meta.recordedAtMs,
      expiresAt,
      endedAt: null,
      reason: null,
    }),
    SessionExpired: (row, _, meta): SessionRow | undefined =>
      row && { ...row, status: "expired", endedAt: meta.recordedAtMs },
    SessionRevoked: (row, { reason }, meta): SessionRow | undefined =>
      row && { ...row, status: "revoked", reason, endedAt: meta.recordedAtMs },
  },
  stores: ["postgres", "redis"],
});
