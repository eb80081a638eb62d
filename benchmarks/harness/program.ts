import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { placeSettings } from "../../bin/environment.ts";
import { type Figure, isTold } from "./figure.ts";
import { ownFolder } from "./own-folder.ts";
import type { Repeat } from "./result.ts";
import type { ServerName, SettingValues, Workload } from "./workload.ts";

const programs = new URL("../", import.meta.url);
const nodeFlags = ["--expose-gc", "--disable-warning=ExperimentalWarning"];

/** What a program and its servers get to stop by themselves. */
const stopWithinMs = 15_000;

export interface ProgramRun {
  readonly workload: Workload;
  readonly settings: SettingValues;
  /** Addresses of servers and the like, for the program. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Runs a workload's program once. What it prints goes to the standard error, as it comes. */
export async function runProgram(run: ProgramRun): Promise<Repeat> {
  const { workload, settings, environment, signal } = run;
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = fileURLToPath(new URL(workload.program, programs));
  await using folder = await ownFolder();
  const child = spawn(process.execPath, [...nodeFlags, program, ...args], {
    env: { ...environmentOf(workload, environment), TMPDIR: folder.path },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    // A group of its own: servers that the program has started can be stopped with it.
    detached: true,
  });
  child.stdout?.pipe(process.stderr, { end: false });
  const heard = new Heard();
  child.on("message", (message) => heard.take(message));
  const limit = AbortSignal.timeout(workload.limitSeconds * 1_000);
  const stopped = AbortSignal.any([signal, limit]);
  const stop = () => stopGroup(child.pid);
  stopped.addEventListener("abort", stop, { once: true });
  if (stopped.aborted) stop();
  const [code, by] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  stopped.removeEventListener("abort", stop);
  if (signal.aborted) return heard.failed("It was stopped.");
  if (limit.aborted) return heard.failed(`It took longer than ${workload.limitSeconds} s.`);
  if (code === 0) return heard.repeat();
  const how = by === null ? `with exit code ${String(code)}` : `by ${by}`;
  return heard.failed(`Its program ended ${how}: what it printed says why.`);
}

/** A server that it doesn't ask for would change what a program measures, or be changed by it. */
function environmentOf(
  { servers }: Workload,
  environment: ProgramRun["environment"],
): ProgramRun["environment"] {
  const hidden = new Set<string>(
    placeSettings.filter((name: ServerName) => !servers.includes(name)),
  );
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.has(name)));
}

/** Node ends by the signal, and `refold start` drains; what is left ends with the folder. */
function stopGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  signalGroup(pid, "SIGINT");
  setTimeout(() => signalGroup(pid, "SIGKILL"), stopWithinMs).unref();
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

class Heard {
  readonly #figures: Figure[] = [];
  readonly #checked: string[] = [];
  readonly #notes: string[] = [];
  readonly #leftOut: string[] = [];

  take(message: unknown): void {
    if (!isTold(message)) return;
    switch (message.kind) {
      case "figure":
        this.#figures.push(message.figure);
        return;
      case "checked":
        this.#checked.push(message.what);
        return;
      case "note":
        this.#notes.push(message.what);
        return;
      case "left-out":
        this.#leftOut.push(message.what);
        return;
    }
  }

  /** Figures of a result that nobody has compared with anything don't count. */
  repeat(): Repeat {
    if (this.#figures.length > 0 && this.#checked.length === 0) {
      return this.failed("Its program told figures without saying what it had checked.");
    }
    return { ...this.#texts(), figures: this.#figures };
  }

  failed(failure: string): Repeat {
    return { ...this.#texts(), figures: [], failure };
  }

  #texts() {
    return { checked: this.#checked, notes: this.#notes, leftOut: this.#leftOut };
  }
}
