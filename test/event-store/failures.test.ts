import { expect, test } from "vitest";

import { asFailure } from "../../connectors/postgres/event-store/failures.ts";

const failureOf = (code?: string) =>
  asFailure(Object.assign(new Error("It failed"), code === undefined ? {} : { code }), "append");

const unavailable = { name: "TransientError", code: "event-store-unavailable" };

test.each(["08006", "40P01", "57P01", "23505", "25P03", "25P04", "25006", "ECONNRESET", undefined])(
  "an append that fails with %s may be tried again",
  (code) => {
    expect(failureOf(code)).toMatchObject(unavailable);
  },
);

test("a full disk is told by its name", () => {
  expect(failureOf("53100")).toMatchObject({ name: "TransientError", code: "storage-full" });
});

test.each(["42P01", "42501", "22021"])(
  "an append that fails with %s is refused for good",
  (code) => {
    expect(failureOf(code)).toMatchObject({ name: "FatalError", code: "event-store-refused" });
  },
);
