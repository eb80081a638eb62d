import {
  accept,
  type Decision,
  type DecisionContext,
  defineCommand,
  fact,
  refuse,
} from "../../engine/decision/definition.ts";
import { ModuleRegistered, RegistrationCompleted } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { moduleSeats, type ModuleSeats } from "./module-seats.ts";
import type { SeatRefusalCode } from "./refusals.ts";
import { studentRegistrations, type StudentRegistrations } from "./student-registrations.ts";

export interface Register {
  readonly moduleCode: string;
  readonly studentId: string;
  /** Joins the line of a full module instead of being refused. */
  readonly waitlist?: boolean;
}

export interface Registered {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  /** `held` until the fee is paid; `completed` where there is none. */
  readonly status: "held" | "completed";
}

export interface RegisterOptions {
  /** How many active modules a student may have. */
  readonly studentModuleLimit: number | "unlimited";
}

export const defaultStudentModuleLimit = 5;

const no = (code: SeatRefusalCode, detail: string): Decision<never> => refuse(code, detail);

/** The command `register` under a limit. */
export function registerWith(options: RegisterOptions) {
  return defineCommand({
    name: "register",
    reads: (input: Register) => ({
      module: moduleSeats.of(input.moduleCode),
      student: studentRegistrations.of(input.studentId),
    }),
    decide: (input, { module, student }, context): Decision<Registered> =>
      refusedByRequest(input) ??
      refusedByModule(input, module, context) ??
      refusedByStudent(input, student, options) ??
      refusedWhenFull(input, module) ??
      giveSeat(input, module, context.newId()),
  });
}

export const register = registerWith({ studentModuleLimit: defaultStudentModuleLimit });

function refusedByRequest(input: Register): Decision<never> | undefined {
  if (input.waitlist !== true) return undefined;
  return no("waitlist-not-supported", "Waiting lists are not kept: register without waitlist.");
}

function refusedByModule(
  { moduleCode }: Register,
  module: ModuleSeats,
  context: DecisionContext,
): Decision<never> | undefined {
  if (!module.offered) return no("module-unknown", `Module ${moduleCode} is not on offer.`);
  const { opensAtMs, closesAtMs } = module;
  if (opensAtMs !== null && !context.reached(opensAtMs)) {
    return no("registration-not-open", `Registration for ${moduleCode} opens ${at(opensAtMs)}.`);
  }
  if (closesAtMs !== null && context.reached(closesAtMs)) {
    return no("registration-closed", `Registration for ${moduleCode} closed ${at(closesAtMs)}.`);
  }
  return undefined;
}

function refusedByStudent(
  { moduleCode, studentId }: Register,
  student: StudentRegistrations,
  { studentModuleLimit }: RegisterOptions,
): Decision<never> | undefined {
  if (student.has(moduleCode)) {
    return no("already-registered", `Student ${studentId} has a seat in ${moduleCode} already.`);
  }
  if (studentModuleLimit !== "unlimited" && student.size >= studentModuleLimit) {
    return no(
      "student-module-limit",
      `Student ${studentId} has ${student.size} active modules; the limit is ${studentModuleLimit}.`,
    );
  }
  return undefined;
}

function refusedWhenFull(input: Register, module: ModuleSeats): Decision<never> | undefined {
  if (module.held + module.confirmed < module.capacity) return undefined;
  return no("module-full", `All ${module.capacity} seats of ${input.moduleCode} are taken.`);
}

function giveSeat(
  { moduleCode, studentId }: Register,
  { feeCents }: ModuleSeats,
  registrationId: string,
): Decision<Registered> {
  const held = fact(moduleEvents, ModuleRegistered, {
    registrationId,
    moduleCode,
    studentId,
    feeCents,
    enrolmentId: null,
    holdExpiresAt: null,
    acceptedOffer: false,
  });
  const answer = { registrationId, moduleCode, studentId };
  if (feeCents > 0) return accept([held], { ...answer, status: "held" });
  const completed = fact(moduleEvents, RegistrationCompleted, answer);
  return accept([held, completed], { ...answer, status: "completed" });
}

const at = (ms: number): string => `at ${new Date(ms).toISOString()}`;
