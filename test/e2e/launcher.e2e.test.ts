import { expect, test } from "vitest";

import { refold } from "./refold-process.ts";

test("help names the commands and what every exit code says", async () => {
  const { code, out } = await refold(["--help"]);
  expect(code).toBe(0);
  for (const name of ["start", "status", "import", "log", "schema"]) expect(out).toContain(name);
  expect(out).toMatch(/4 {2}the data folder is in use/);
});

test("a wrong command line is told in a sentence, with exit code 2", async () => {
  const wrong = [["fly"], ["start", "--port", "x"], ["start", "--host", "0.0.0.0"], ["start", "y"]];
  for (const { code, err } of await Promise.all(wrong.map((args) => refold(args)))) {
    expect(code).toBe(2);
    expect(err.trim()).not.toContain("    at ");
  }
});

test("a database that isn't there ends with exit code 6", async () => {
  const { code, err } = await refold(["start", "--port", "0"], {
    DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none",
  });
  expect(code).toBe(6);
  expect(err).toMatch(/^refold: The database can't be reached .*ECONNREFUSED/);
});
