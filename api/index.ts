export type { Access } from "./access/contract.ts";
export type {
  ApiDependencies,
  CommandExecutor,
  ConsumerHealth,
  CopyHealth,
  HealthSources,
} from "./dependencies.ts";
export type { ServerTls } from "./http-server.ts";
export type { TrustedProxies } from "./limits/trusted-proxies.ts";
export { apiOptions, type ApiOptions, defaultApiOptions } from "./options.ts";
export { buildProbes, type ProbesDependencies } from "./probes.ts";
export { buildApi } from "./server.ts";
