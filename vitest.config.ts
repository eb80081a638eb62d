import { defineConfig } from "vitest/config";

import { keepCompiledCode } from "./test/support/compiled-code.ts";

keepCompiledCode();

/** One project per test suffix: the suffix says which servers the test needs. */
const nothing = ["test/**/*.test.ts"];
const servers = ["pg", "redis", "kafka", "e2e", "browser", "operations"].map(
  (lane) => `test/**/*.${lane}.test.ts`,
);

/**
 * Tests of one process share it, and the modules that they all import: read anew for each file, they
 * cost a third of such tests' processor time. What one leaves behind would meet the next.
 */
const together = { isolate: false } as const;

/** How long `expect.poll` waits for what is meant: it ends a test that fails, and passes none. */
const expectations = { poll: { timeout: 20_000 } };

export default defineConfig({
  test: {
    // Tests of whole processes wait half of their time: three at once use two cores better than two.
    maxWorkers: 3,
    reporters: ["default", "./test/support/closing-line.ts", "./test/support/stuck-run.ts"],
    projects: [
      {
        test: {
          name: "unit",
          ...together,
          include: nothing,
          exclude: [...servers, "test/**/*.prop.test.ts"],
          testTimeout: 30_000,
          expect: expectations,
        },
      },
      {
        test: {
          name: "prop",
          ...together,
          include: ["test/**/*.prop.test.ts"],
          testTimeout: 60_000,
          expect: expectations,
        },
      },
      {
        test: {
          name: "pg",
          include: ["test/**/*.pg.test.ts"],
          globalSetup: ["test/support/postgres-server.ts"],
          testTimeout: 90_000,
          hookTimeout: 60_000,
          expect: expectations,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/**/*.e2e.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: expectations,
        },
      },
    ],
  },
});
