export type { ApiDependencies, CommandExecutor, ConsumerHealth, Load } from "./dependencies.ts";
export { apiOptions, type ApiOptions, defaultApiOptions } from "./options.ts";
export { buildApi } from "./server.ts";
