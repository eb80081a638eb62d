import { readFileSync } from "node:fs";
import { chmod, glob, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for the temporary things of one program, with the servers that it has begun in it. */
export interface OwnFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes the folder. Disposing of it stops every Postgres that was left running in it, which a
 * program that was stopped or has crashed can't do: a server is its own session, and outlives its
 * parent's process group.
 */
export async function ownFolder(): Promise<OwnFolder> {
  const path = await mkdtemp(join(tmpdir(), "refold-bench-run-"));
  // Postgres may run under another account than this process.
  await chmod(path, 0o755);
  const remove = async (): Promise<void> => {
    for await (const file of glob("**/postmaster.pid", { cwd: path })) stopServer(join(path, file));
    await rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  return { path, [Symbol.asyncDispose]: remove };
}

/** Its files go right after it: nothing needs to be written. */
function stopServer(pidFile: string): void {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, "utf8"), 10);
    if (pid > 1) process.kill(pid, "SIGQUIT");
  } catch {
    // It has ended meanwhile.
  }
}
