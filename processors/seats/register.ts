import {
  accept,
  type Decision,
  type DecisionContext,
  defineCommand,
  fact,
  type Wanted,
} from "../../engine/decision/definition.ts";
import { ModuleRegistered, RegistrationCompleted, WaitlistJoined } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { freeSeats, moduleSeats, type ModuleSeats } from "./module-seats.ts";
import { no } from "./refusals.ts";
import { seatOffer } from "./seat-offer.ts";
import {
  type InLine,
  studentRegistrations,
  type StudentRegistrations,
} from "./student-registrations.ts";
import { outsideWindow } from "./window.ts";

export interface Register {
  readonly moduleCode: string;
  readonly studentId: string;
  /** Joins the line of a full module instead of being refused. An enrolment never waits. */
  readonly waitlist?: boolean;
  /** The enrolment that the registration belongs to: it is held until that confirms it. */
  readonly enrolmentId?: string;
  /** The id that it gets; left out: a new one. No other registration may have it. */
  readonly registrationId?: string;
}

export interface Registered {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  /**
   * `held` until the fee is paid, or the enrolment confirms it; `completed` where there is neither;
   * `waiting` in line.
   */
  readonly status: "held" | "completed" | "waiting";
  /** When the hold ends, in milliseconds since 1970 (UTC); null where nothing is held. */
  readonly holdExpiresAt: number | null;
  /** What the seat costs, in cents; null while there is none. */
  readonly feeCents: number | null;
}

export interface RegisterOptions {
  /** How many active modules a student may have. */
  readonly studentModuleLimit: number | "unlimited";
  /** How long a seat is held for its payment. */
  readonly holdMs: number;
}

export const defaultStudentModuleLimit = 5;
export const defaultHoldMs = 15 * 60_000;

/** A registration that is asked for, with all that its decision needs. */
interface Asked {
  readonly input: Register;
  readonly module: ModuleSeats;
  readonly student: StudentRegistrations;
  readonly context: DecisionContext;
  readonly options: RegisterOptions;
}

/**
 * The command `register`. Given again by a student in line it takes the seat that is offered, or
 * tells that there is none yet. Holds last 15 minutes where nothing else is given.
 */
export function registerWith(
  given: Pick<RegisterOptions, "studentModuleLimit"> & Partial<RegisterOptions>,
) {
  const options = { holdMs: defaultHoldMs, ...given };
  return defineCommand({
    name: "register",
    reads: (input: Register) => ({
      module: moduleSeats.of(input.moduleCode),
      student: studentRegistrations.of(input.studentId),
    }),
    decide: (input, { module, student }, context): Decision<Registered> => {
      const asked: Asked = { input, module, student, context, options };
      return (
        refusedByModule(asked) ??
        refusedAsActive(asked) ??
        decidedInLine(asked) ??
        refusedByLimit(asked) ??
        decidedWhenFull(asked) ??
        giveSeat(asked, { registrationId: newId(asked), acceptedOffer: false })
      );
    },
  });
}

export const register = registerWith({ studentModuleLimit: defaultStudentModuleLimit });

const newId = ({ input, context }: Asked): string => input.registrationId ?? context.newId();

function refusedByModule({ input, module, context }: Asked): Decision<never> | undefined {
  const { moduleCode } = input;
  if (!module.offered) return no("module-unknown", `Module ${moduleCode} is not on offer.`);
  return outsideWindow(moduleCode, module, context);
}

function refusedAsActive({ input, student }: Asked): Decision<never> | undefined {
  const { moduleCode, studentId } = input;
  if (!student.active.has(moduleCode)) return undefined;
  return no("already-registered", `Student ${studentId} has a seat in ${moduleCode} already.`);
}

function refusedByLimit({ input, student, options }: Asked): Decision<never> | undefined {
  const { studentModuleLimit: limit } = options;
  const { size } = student.active;
  if (limit === "unlimited" || size < limit) return undefined;
  return no(
    "student-module-limit",
    `Student ${input.studentId} has ${size} active modules; the limit is ${limit}.`,
  );
}

/** A student who stands in line already waits on, or takes the seat that is offered. */
function decidedInLine(asked: Asked): Decision<Registered> | undefined {
  const { moduleCode, studentId, enrolmentId } = asked.input;
  const place = asked.student.inLine.get(moduleCode);
  if (place === undefined) return undefined;
  if (enrolmentId !== undefined) {
    return no(
      "already-in-line",
      `Student ${studentId} stands in line for ${moduleCode}, as registration ${place.registrationId}.`,
    );
  }
  if (place.offerExpiresAtMs === null) return waiting(asked, place.registrationId);
  return offerOver(asked, place) ?? refusedByLimit(asked) ?? takeOffer(asked, place);
}

function offerOver({ input, context }: Asked, place: InLine): Decision<never> | undefined {
  const { offerExpiresAtMs } = place;
  if (offerExpiresAtMs === null || !context.reached(offerExpiresAtMs)) return undefined;
  const until = new Date(offerExpiresAtMs).toISOString();
  return no("offer-expired", `The seat of ${input.moduleCode} was offered until ${until}.`);
}

const takeOffer = (asked: Asked, { registrationId }: InLine): Decision<Registered> =>
  giveSeat(
    asked,
    { registrationId, acceptedOffer: true },
    { deadlines: [seatOffer.cancel(registrationId)] },
  );

/** Seats that are free belong to the line first: whoever comes now is behind all who wait. */
function decidedWhenFull(asked: Asked): Decision<Registered> | undefined {
  const { input, module } = asked;
  if (freeSeats(module) > module.waiting) return undefined;
  if (input.waitlist === true && input.enrolmentId === undefined) return joinLine(asked);
  const { moduleCode } = input;
  return no("module-full", `All ${module.capacity} seats of ${moduleCode} are taken or promised.`);
}

function joinLine(asked: Asked): Decision<Registered> {
  const { moduleCode, studentId } = asked.input;
  const registrationId = newId(asked);
  const joined = fact(moduleEvents, WaitlistJoined, { registrationId, moduleCode, studentId });
  return waiting(asked, registrationId, [joined]);
}

function waiting(
  { input }: Asked,
  registrationId: string,
  facts: Parameters<typeof accept>[0] = [],
): Decision<Registered> {
  const { moduleCode, studentId } = input;
  const status = "waiting";
  const seat = { holdExpiresAt: null, feeCents: null };
  return accept(facts, { registrationId, moduleCode, studentId, status, ...seat });
}

function giveSeat(
  { input, module, context, options }: Asked,
  seat: Pick<ModuleRegistered, "registrationId" | "acceptedOffer">,
  wanted?: Wanted,
): Decision<Registered> {
  const { moduleCode, studentId, enrolmentId = null } = input;
  const { feeCents } = module;
  const { registrationId } = seat;
  const registered = { registrationId, moduleCode, studentId };
  const atOnce = feeCents === 0 && enrolmentId === null;
  const holdExpiresAt = atOnce ? null : context.inMs(options.holdMs);
  const held = { ...seat, ...registered, feeCents, enrolmentId, holdExpiresAt };
  const facts = [fact(moduleEvents, ModuleRegistered, held)];
  const seatAnswer = { ...registered, holdExpiresAt, feeCents };
  if (!atOnce) return accept(facts, { ...seatAnswer, status: "held" }, wanted);
  const completed = fact(moduleEvents, RegistrationCompleted, registered);
  return accept([...facts, completed], { ...seatAnswer, status: "completed" }, wanted);
}
