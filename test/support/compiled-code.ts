import { join } from "node:path";

/** Where `refold`'s launcher keeps compiled code too. */
const folder = join(import.meta.dirname, "../../node_modules/.cache/refold");

/**
 * Every process that is started from here on, workers of the tests and what they start, takes the
 * code that it runs as it was compiled before: each would strip and compile hundreds of files anew.
 */
export function keepCompiledCode(): void {
  process.env["NODE_COMPILE_CACHE"] ??= folder;
}
