import {
  defineDecisionModel,
  type ModelOf,
  type Refusal,
} from "../../engine/decision/definition.ts";
import type { SagaAdmission } from "../../engine/saga/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import type { StartEnrolment } from "./steps.ts";

/** How many modules one enrolment may name. */
export const enrolmentModulesMax = 10;

/** Every code that starting or resubmitting an enrolment is refused with. */
export type EnrolmentRefusalCode =
  "enrolment-modules-invalid" | "module-unknown" | "enrolment-unknown" | "enrolment-not-reversed";

/** Registrations don't concern it, so that they never conflict with an enrolment that starts. */
const moduleOnOffer = defineDecisionModel({
  name: "module-on-offer",
  tag: "module",
  topic: moduleEvents,
  initial: false,
  on: { ModuleOffered: () => true, ModuleWithdrawn: () => false },
});

/** The list must make sense, and name modules that exist; all else is for the steps to find out. */
export const enrolmentAdmission: SagaAdmission<StartEnrolment> = {
  reads: ({ moduleCodes }): Readonly<Record<string, ModelOf>> =>
    faultOf(moduleCodes) === undefined
      ? Object.fromEntries(moduleCodes.map((code) => [code, moduleOnOffer.of(code)]))
      : {},
  refuses: ({ moduleCodes }, onOffer) => {
    const fault = faultOf(moduleCodes);
    if (fault !== undefined) return no("enrolment-modules-invalid", fault);
    const unknown = moduleCodes.filter((code) => onOffer[code] !== true);
    if (unknown.length === 0) return undefined;
    return no("module-unknown", `Not on offer: ${unknown.join(", ")}.`);
  },
};

const no = (code: EnrolmentRefusalCode, detail: string): Refusal => ({ code, detail });

function faultOf(codes: readonly string[]): string | undefined {
  if (codes.length === 0) return "An enrolment needs at least one module.";
  if (codes.length > enrolmentModulesMax) {
    return `An enrolment may name ${enrolmentModulesMax} modules, not ${codes.length}.`;
  }
  const twice = new Set(codes.filter((code, at) => codes.indexOf(code) !== at));
  return twice.size > 0 ? `Named more than once: ${[...twice].join(", ")}.` : undefined;
}
