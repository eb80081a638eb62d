import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { runProgram } from "../../benchmarks/harness/program.ts";
import { runBench } from "../../benchmarks/harness/run.ts";
import type { ServerName, Workload } from "../../benchmarks/harness/workload.ts";
import { temporaryFolder, until } from "../e2e/refold-process.ts";
import { workload } from "./run-result.ts";

const toldProgram = (servers: readonly ServerName[] = []): Workload => ({
  ...workload,
  program: "../test/bench/told-program.ts",
  servers,
});

const never = new AbortController().signal;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const runAs = (as: string, changes: Partial<Parameters<typeof runProgram>[0]> = {}) =>
  runProgram({
    workload: toldProgram(),
    settings: { as },
    environment: { ...process.env, KAFKA_BROKERS: "localhost:9" },
    signal: never,
    ...changes,
  });

describe("a workload's program", () => {
  it("tells figures and what it has checked", async () => {
    const repeat = await runAs("right");
    expect(repeat.failure).toBeUndefined();
    expect(repeat.checked).toEqual(["rows equal"]);
    expect(repeat.figures.map(({ value }) => value)).toEqual([1]);
  });

  it("gets the addresses of the servers that it asks for, and of no others", async () => {
    const asks = await runAs("right", { workload: toldProgram(["KAFKA_BROKERS"]) });
    expect(asks.figures.map(({ value }) => value)).toEqual([2]);
  });

  it("has no figures when its check fails after it has told some", async () => {
    const repeat = await runAs("wrong");
    expect(repeat.failure).toContain("ended with exit code 1");
    expect(repeat.figures).toEqual([]);
  });

  it("has no figures when it has checked nothing", async () => {
    const repeat = await runAs("unchecked");
    expect(repeat.failure).toContain("without saying what it had checked");
    expect(repeat.figures).toEqual([]);
  });

  it("is stopped at its time limit", async () => {
    const repeat = await runAs("endless", { workload: { ...toldProgram(), limitSeconds: 1 } });
    expect(repeat.failure).toBe("It took longer than 1 s.");
  });

  it("leaves no server behind when it is killed", async () => {
    const file = join(await temporaryFolder(), "pid");
    const repeat = await runAs("right", { settings: { as: "server", file } });
    expect(repeat.failure).toContain("ended by SIGKILL");
    const pid = Number(await readFile(file, "utf8"));
    expect(pid).toBeGreaterThan(1);
    await until(
      () => (isAlive(pid) ? undefined : true),
      10_000,
      () => `Postgres ${pid} ends`,
    );
  });

  it("is stopped with the run, and none is begun after it", async () => {
    const stop = new AbortController();
    const endless: Workload = { ...toldProgram(), name: "endless" };
    const said: string[] = [];
    const running = runBench({
      workloads: new Map([
        [endless, { as: "endless" }],
        [workload, {}],
      ]),
      repeats: 2,
      environment: process.env,
      signal: stop.signal,
      say: (text) => {
        said.push(text);
        if (text.includes("== endless")) stop.abort();
      },
    });
    const { workloads } = await running;
    expect(workloads.map(({ name, failure }) => [name, failure])).toEqual([
      ["endless", "It was stopped."],
    ]);
    expect(said.join("\n")).toContain("FAILED    It was stopped.");
  });
});
