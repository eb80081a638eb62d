export type { BookedCharge, RefundEntry, SandboxBooks } from "./books.ts";
export { MemoryBooks } from "./memory-books.ts";
export { sandboxMigrations } from "./migrations.ts";
export { PostgresBooks } from "./postgres-books.ts";
export { SandboxProvider, type SandboxProviderOptions } from "./sandbox-provider.ts";
export { Teller, type TellerOptions } from "./teller.ts";
