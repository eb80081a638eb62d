export type { ApiDependencies, CommandExecutor, ConsumerHealth, Load } from "./dependencies.ts";
export { type ApiOptions, defaultApiOptions } from "./options.ts";
export { buildApi } from "./server.ts";
