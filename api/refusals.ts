import type { Refusal } from "../engine/decision/definition.ts";
import type { SeatRefusalCode } from "../processors/seats/index.ts";
import type { Problem } from "./problem.ts";
import { statusOf } from "./problem-codes.ts";

/** Refusals come from the seat commands alone: their codes are a closed list. */
export const problemOfRefusal = ({ code, detail }: Refusal): Problem => {
  const known = code as SeatRefusalCode;
  return { status: statusOf(known), code: known, detail };
};

export const moduleUnknown = (code: string): Problem =>
  problemOfRefusal({
    code: "module-unknown" satisfies SeatRefusalCode,
    detail: `Module ${code} is not on offer.`,
  });

export const registrationUnknown = (id: string): Problem =>
  problemOfRefusal({
    code: "registration-unknown" satisfies SeatRefusalCode,
    detail: `There is no registration ${id}.`,
  });
