import { spawn, type ChildProcess } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { onTestFinished } from "vitest";

import { placeSettings } from "../../bin/environment.ts";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Servers of the run's own surroundings are none of a test's. */
const settings = new Set<string>(placeSettings);

/**
 * Without the launcher signals reach the program itself, also those that can't be handed on.
 * An installed package's launcher is named by its path.
 */
type Through = "launcher" | "nothing" | { readonly launcher: string };

const scripts = {
  launcher: ["bin/refold.js"],
  nothing: ["--disable-warning=ExperimentalWarning", "bin/main.ts"],
} as const;

const scriptOf = (through: Through): readonly string[] =>
  typeof through === "string" ? scripts[through] : [through.launcher];

/** Journeys of sessions ask who somebody is; the others need nobody to sign in. */
const open = { REFOLD_AUTH: "off" };

/** `refold` as a process of its own. */
export class RefoldProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  out = "";
  err = "";

  constructor(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    through: Through = "launcher",
  ) {
    const inherited = Object.entries(process.env).filter(([name]) => !settings.has(name));
    this.child = spawn(process.execPath, [...scriptOf(through), ...args], {
      env: { ...Object.fromEntries(inherited), ...open, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code, signal) =>
        resolve({ code, signal, out: this.out, err: this.err }),
      );
    });
  }

  /** Waits until the process has printed what the pattern matches. */
  async printed(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    const said = () => `${String(pattern)} in what refold printed:\n${this.out}\n${this.err}`;
    return until(
      () => {
        const ended = !this.isRunning;
        const found = pattern.exec(this.out) ?? undefined;
        if (found === undefined && ended) throw new Error(`It ended without ${said()}`);
        return found;
      },
      timeoutMs,
      said,
    );
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
}

/** Runs a command to its end. */
export const refold = (
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<Ended> => new RefoldProcess(args, environment).ended;

/** A condition with a deadline: the first answer that isn't undefined. */
export async function until<Answer>(
  ask: () => Promise<Answer | undefined> | Answer | undefined,
  timeoutMs: number,
  what: () => string,
): Promise<Answer> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) {
      throw new Error(`Not within ${timeoutMs} ms: ${what()}`);
    }
    await delay(10);
  }
}

/** A folder for the test's data, removed after it; readable by the account that runs Postgres. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "refold-e2e-"));
  await chmod(folder, 0o755);
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
