import { flushCompileCache } from "node:module";

/**
 * Writes the compiled code of what is loaded by now to where the launcher keeps it. Node itself does
 * so when a process ends, and one that is killed never does: then each start after a kill would
 * compile everything anew, which takes longer than all else that it does.
 */
export function keepCompiledCode(): void {
  flushCompileCache();
}
