import { describe, expect, it } from "vitest";

import { installedIn, versionsIn } from "../../benchmarks/peers/locked-packages.ts";

const locked = {
  packages: {
    "": { version: "1.0.0" },
    "node_modules/@store/postgres": { version: "0.42.0" },
    "node_modules/@store/postgres/node_modules/pg": { version: "8.1.0" },
    "node_modules/pg": { version: "8.2.0" },
    "node_modules/fsevents": { version: "2.0.0", optional: true },
  },
};

const there = (changes: Readonly<Record<string, { readonly version?: string }>> = {}) => ({
  packages: {
    "node_modules/@store/postgres": { version: "0.42.0" },
    "node_modules/@store/postgres/node_modules/pg": { version: "8.1.0" },
    "node_modules/pg": { version: "8.2.0" },
    ...changes,
  },
});

describe("a peer's packages", () => {
  it("are installed when all but optional ones are there in their version", () => {
    expect(installedIn(there(), locked)).toBe(true);
  });

  it("aren't when one is missing or of another version, or nothing is there", () => {
    expect(installedIn(there({ "node_modules/pg": { version: "8.2.1" } }), locked)).toBe(false);
    expect(installedIn(there({ "node_modules/pg": {} }), locked)).toBe(false);
    expect(installedIn({ packages: {} }, locked)).toBe(false);
  });

  it("have the versions of the lock file's top", () => {
    expect([...versionsIn(locked)]).toEqual([
      ["@store/postgres", "0.42.0"],
      ["pg", "8.2.0"],
      ["fsevents", "2.0.0"],
    ]);
  });
});
