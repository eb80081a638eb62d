import { execFile } from "node:child_process";

import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Above what a test may take that is tried three times. */
const stuckAfterMs = 15 * 60_000;

/** sysexits.h, EX_TEMPFAIL: nothing is known of the tests that were left. */
const exitCode = 75;

/**
 * Ends a run in which nothing happens any more, and tells which files were under way and what the
 * processes did: a file whose thread never gives way reaches no deadline of its own tests.
 */
export default class StuckRun implements Reporter {
  readonly #underWay = new Map<string, number>();
  readonly #counts = { passed: 0, failed: 0 };
  #timer: NodeJS.Timeout | undefined;

  onTestModuleStart({ moduleId }: TestModule): void {
    this.#underWay.set(moduleId, Date.now());
    this.#waitOn();
  }

  onTestModuleEnd({ moduleId }: TestModule): void {
    this.#underWay.delete(moduleId);
    this.#waitOn();
  }

  onTestCaseReady(): void {
    this.#waitOn();
  }

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result();
    if (state === "passed" || state === "failed") this.#counts[state] += 1;
    this.#waitOn();
  }

  onTestRunEnd(): void {
    clearTimeout(this.#timer);
  }

  #waitOn(): void {
    const afterMs = Number(process.env["REFOLD_TESTS_STUCK_AFTER_MS"] ?? stuckAfterMs);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(afterMs), afterMs);
  }

  #end(afterMs: number): void {
    execFile("ps", ["-eo", "pid,ppid,stat,etime,time,args"], (_, processes) => {
      const now = Date.now();
      const files = [...this.#underWay].map(
        ([moduleId, since]) => `failed: ${moduleId}: not ended after ${now - since} ms\n`,
      );
      const { passed, failed } = this.#counts;
      const why = `Nothing has happened for ${afterMs} ms: the run ends here.`;
      const closing = `${passed} passed, ${failed + Math.max(files.length, 1)} failed`;
      const told = `\n${why} The processes:\n${processes}\n${files.join("")}\n${closing}\n`;
      process.stdout.write(told, () => process.exit(exitCode));
    });
  }
}
