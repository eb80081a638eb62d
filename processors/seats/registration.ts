import { defineDecisionModel } from "../../engine/decision/definition.ts";
import type { RegistrationCancelled } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";

export type CancelReason = RegistrationCancelled["reason"];

/** One registration, from its first event on. */
export type Registration =
  | { readonly status: "unknown" }
  | {
      readonly status: "held" | "completed";
      readonly moduleCode: string;
      readonly studentId: string;
    }
  | {
      readonly status: "cancelled";
      readonly moduleCode: string;
      readonly studentId: string;
      readonly reason: CancelReason;
    };

const unknown: Registration = { status: "unknown" };

export const registration = defineDecisionModel({
  name: "registration",
  tag: "registration",
  topic: moduleEvents,
  initial: unknown,
  on: {
    ModuleRegistered: (_, { moduleCode, studentId }): Registration => ({
      status: "held",
      moduleCode,
      studentId,
    }),
    RegistrationCompleted: (_, { moduleCode, studentId }): Registration => ({
      status: "completed",
      moduleCode,
      studentId,
    }),
    RegistrationCancelled: (_, { moduleCode, studentId, reason }): Registration => ({
      status: "cancelled",
      moduleCode,
      studentId,
      reason,
    }),
  },
});
