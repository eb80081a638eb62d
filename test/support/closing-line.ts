import type { Reporter, SerializedError, TestModule, TestSuite } from "vitest/node";

/**
 * Ends the run's output with one plain line that a program can read. What failed is told again just
 * before it, errors outside of any test included: who sees the end of a log sees why it ended so.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state !== "pending") counts[state] += 1;
        if (state === "failed") tell(`${module.moduleId}: ${test.fullName}`, test.result().errors);
      }
      for (const { where, errors } of outsideOfTests(module)) {
        counts.failed += 1;
        tell(where, errors);
      }
    }
    for (const error of unhandled) tell("not handled by any test", [error]);
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  }
}

/** What failed in a file's own code and in the hooks of its suites: no test counts it. */
function outsideOfTests(module: TestModule) {
  const suites: readonly (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
  return suites
    .map((suite) => ({ suite, errors: suite.errors() }))
    .filter(({ errors }) => errors.length > 0)
    .map(({ suite, errors }) => {
      const name = suite.type === "suite" ? `, suite ${suite.fullName}` : "";
      return { where: `${module.moduleId}${name}, outside of its tests`, errors };
    });
}

function tell(where: string, errors: readonly SerializedError[] = []): void {
  process.stdout.write(`\nfailed: ${where}\n`);
  for (const { message, stack } of errors) process.stdout.write(`${stack ?? message}\n`);
}
