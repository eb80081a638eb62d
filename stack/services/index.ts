/** The servers that production has beside Refold, started without Docker. */
export { recordingInterceptor } from "./connect.ts";
export { confluentPath } from "./registry.ts";
export { ServiceError, type Service } from "./service.ts";
export { startStack, type Stack, type StackOptions } from "./start-stack.ts";
