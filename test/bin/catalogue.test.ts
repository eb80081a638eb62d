import { describe, expect, it } from "vitest";

import { commandsFor } from "../../bin/commands/catalogue.ts";

describe("the commands that a command line loads", () => {
  it("are all of them where it names none", async () => {
    const all = await commandsFor([]);
    const names = all.map((command) => command.name());
    expect(names).toContain("start");
    expect(new Set(names).size).toBe(names.length);
    for (const given of ["--help", "help", "stat", "toString"]) {
      expect(await commandsFor([given]), given).toHaveLength(names.length);
    }
  });

  it("are the named one alone, by the name that the help tells", async () => {
    const all = await commandsFor([]);
    for (const name of all.map((command) => command.name())) {
      const loaded = await commandsFor([name, "--help"]);
      expect(loaded.map((command) => command.name())).toEqual([name]);
    }
  });
});
