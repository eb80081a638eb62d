import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { RunResult } from "../../benchmarks/harness/result.ts";
import { refold, temporaryFolder } from "../e2e/refold-process.ts";

/** What can't be had is left out: a test asks nobody outside for it, and waits for nobody. */
async function benched(workload: string, settings: readonly string[]) {
  const environment = {
    npm_config_offline: "true",
    npm_config_cache: join(await temporaryFolder(), "npm"),
  };
  const args = ["bench", workload, "--json", "--set", ...settings];
  const { code, out, err } = await refold(args, environment);
  expect(code, err).toBe(0);
  const [result] = (JSON.parse(out) as RunResult).workloads;
  return result as NonNullable<typeof result>;
}

/** Each of them is measured, or is said to be left out. */
function expectPeers(result: Awaited<ReturnType<typeof benched>>, peers: readonly string[]) {
  const measured = result.figures.filter(({ role }) => role === "peer");
  const leftOut = result.leftOut.filter((what) => what.includes("because npm can't install it"));
  expect(new Set(measured.map(({ name }) => peers.find((one) => name.includes(one)))).size).toBe(
    peers.length - leftOut.length,
  );
}

describe("refold bench beside event stores from npm", () => {
  it("rebuilds carts, and says what the server does for durability", async () => {
    const result = await benched("rebuild-peers", ["events=100", "more=300", "seats=1000"]);
    expect(result.checked).toContain(
      "Refold: every row of every rebuild equals counts made without it",
    );
    expect(result.notes[0]).toMatch(/server_version=.* fsync=on .*synchronous_commit=on/);
    const ours = result.figures.filter(
      ({ name, unit }) => name.startsWith("Refold, ") && unit === "events/s",
    );
    expect(ours.map(({ median }) => median > 0)).toEqual([true, true, true, true, true]);
    expectPeers(result, ["Emmett"]);
  });

  it("appends to streams at the version that is expected", async () => {
    const result = await benched("append-peers", ["calls=20"]);
    expect(result.checked[0]).toMatch(/^Refold.*: every event is stored/);
    expect(result.figures.filter(({ role }) => role === "measured")).toHaveLength(4);
    expectPeers(result, ["Emmett", "DCB event store"]);
  });
});
