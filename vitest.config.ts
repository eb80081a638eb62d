import { defineConfig } from "vitest/config";

import { keepCompiledCode } from "./test/support/compiled-code.ts";

keepCompiledCode();

/** One project per test suffix: the suffix says which servers the test needs. */
const nothing = ["test/**/*.test.ts"];
const servers = ["pg", "redis", "kafka", "e2e", "browser", "operations"].map(
  (lane) => `test/**/*.${lane}.test.ts`,
);

export default defineConfig({
  test: {
    // Most tests wait for servers and processes: two at once use two cores better than one.
    maxWorkers: 2,
    reporters: ["default", "./test/support/closing-line.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: nothing,
          exclude: [...servers, "test/**/*.prop.test.ts"],
          testTimeout: 10_000,
        },
      },
      {
        test: { name: "prop", include: ["test/**/*.prop.test.ts"], testTimeout: 60_000 },
      },
      {
        test: {
          name: "pg",
          include: ["test/**/*.pg.test.ts"],
          globalSetup: ["test/support/postgres-server.ts"],
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/**/*.e2e.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
