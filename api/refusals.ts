import type { Refusal } from "../engine/decision/definition.ts";
import type { SeatRefusalCode } from "../processors/seats/index.ts";
import type { Problem } from "./problem.ts";

/** A refusal that says that something isn't there. All others are conflicts (409). */
const missing: ReadonlySet<string> = new Set<SeatRefusalCode>([
  "module-unknown",
  "registration-unknown",
]);

export const problemOfRefusal = ({ code, detail }: Refusal): Problem => ({
  status: missing.has(code) ? 404 : 409,
  code,
  detail,
});

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
