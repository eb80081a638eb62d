import { defineConfig } from "vitest/config";

import { keepCompiledCode } from "./test/support/compiled-code.ts";

keepCompiledCode();

const patience = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 30_000 } },
};

/**
 * Each starts half a dozen processes of Refold on servers of its own, and some measure how long those
 * hold each other up: none may run beside another.
 */
const crowds = ["test/e2e/**/*.kafka.test.ts", "test/faults/stack/**/*.kafka.test.ts"];

/** The lanes that need servers which npm doesn't bring; `npm run test:stack` starts them. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ["default", "./test/support/closing-line.ts", "./test/support/stuck-run.ts"],
    projects: [
      {
        test: {
          name: "redis",
          include: ["test/**/*.redis.test.ts"],
          globalSetup: ["test/support/postgres-server.ts"],
          ...patience,
        },
      },
      {
        test: {
          name: "kafka",
          include: ["test/**/*.kafka.test.ts"],
          exclude: crowds,
          globalSetup: ["test/support/postgres-server.ts", "test/support/kafka-server.ts"],
          ...patience,
        },
      },
      {
        test: {
          name: "kafka-crowds",
          include: crowds,
          // They begin when the others have ended.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          ...patience,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/**/*.browser.test.ts"],
          ...patience,
        },
      },
      {
        test: {
          name: "operations",
          include: ["test/**/*.operations.test.ts"],
          ...patience,
        },
      },
    ],
  },
});
