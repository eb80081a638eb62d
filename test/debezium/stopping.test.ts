import { expect, test } from "vitest";

import { whileStopped, type ConnectorWait } from "../../connectors/debezium/index.ts";
import { TransientError } from "../../engine/errors.ts";
import { realClock } from "../engine/process.ts";

/** A worker with one connector, which tells what it was asked to do. */
function worker(first: string | undefined, refusals = 0) {
  const did: string[] = [];
  let state = first;
  let left = refusals;
  const connect: ConnectorWait["connect"] = {
    status: async () =>
      state === undefined
        ? undefined
        : { state, tasks: state === "RUNNING" ? ["RUNNING"] : [], failure: undefined },
    stop: async () => {
      did.push("stop");
      state = "STOPPED";
    },
    resume: async () => {
      left -= 1;
      if (left >= 0) throw new TransientError("connect-away", "The group is rebalancing.");
      did.push("resume");
      state = "RUNNING";
    },
  };
  const { signal } = new AbortController();
  return { did, wait: { connect, clock: realClock, timeoutMs: 5_000, signal } };
}

const work = (did: string[]) => async () => void did.push("work");

test("a connector is stopped for the work and goes on, also while its group is rebalancing", async () => {
  const { did, wait } = worker("RUNNING", 1);
  await whileStopped(wait, "c", work(did));
  expect(did).toEqual(["stop", "work", "resume"]);
});

test("a connector goes on after the work has failed, too", async () => {
  const { did, wait } = worker("RUNNING");
  const failing = whileStopped(wait, "c", () => Promise.reject(new Error("broken")));
  await expect(failing).rejects.toThrow("broken");
  expect(did).toEqual(["stop", "resume"]);
});

test.each([["STOPPED"], ["PAUSED"], [undefined]])(
  "one that is %s stays as it is",
  async (state) => {
    const { did, wait } = worker(state);
    await whileStopped(wait, "c", work(did));
    expect(did).toEqual(["work"]);
  },
);
