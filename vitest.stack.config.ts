import { defineConfig } from "vitest/config";

const timeouts = { testTimeout: 180_000, hookTimeout: 180_000 };

/** The lanes that need servers which npm doesn't bring; `npm run test:stack` starts them. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ["default", "./test/support/closing-line.ts"],
    projects: [
      {
        test: {
          name: "redis",
          include: ["test/**/*.redis.test.ts"],
          globalSetup: ["test/support/postgres-server.ts"],
          ...timeouts,
        },
      },
      {
        test: {
          name: "kafka",
          include: ["test/**/*.kafka.test.ts"],
          globalSetup: ["test/support/postgres-server.ts", "test/support/kafka-server.ts"],
          ...timeouts,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/**/*.browser.test.ts"],
          ...timeouts,
        },
      },
      {
        test: {
          name: "operations",
          include: ["test/**/*.operations.test.ts"],
          ...timeouts,
        },
      },
    ],
  },
});
