import { expect, test } from "vitest";

import { withoutPassword } from "../../bin/shown-url.ts";

test.for([
  ["postgresql://ann:hush@db:5432/refold", "postgresql://ann@db:5432/refold"],
  ["postgresql://db/refold?user=ann&password=hush", "postgresql://db/refold?user=ann"],
  [
    "postgresql://db/refold?sslmode=verify-full&sslpassword=hush",
    "postgresql://db/refold?sslmode=verify-full",
  ],
  ["ann:hush@db", "(a URL that can't be read)"],
  ["//ann:hush@db", "(a URL that can't be read)"],
] as const)("a URL is shown without its password: %s", ([url, shown]) => {
  expect(withoutPassword(url)).toBe(shown);
});
