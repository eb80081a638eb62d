export { finishOnboarding, type FinishOnboarding } from "./finish-onboarding.ts";
export { onboarding } from "./onboarding.ts";
