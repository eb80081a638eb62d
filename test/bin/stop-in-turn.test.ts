import { expect, test } from "vitest";

import { StopInTurn } from "../../bin/stop-in-turn.ts";

test("stops the last first, and goes on past one that hangs and one that fails", async () => {
  const stopped: string[] = [];
  const said: string[] = [];
  {
    await using parts = new StopInTurn((message) => said.push(message));
    parts.add("pool", () => void stopped.push("pool"));
    parts.add("log", () => Promise.reject(new Error("gone")));
    parts.add("runner", () => new Promise(() => undefined), 10);
    parts.add("api", () => void stopped.push("api"));
  }
  expect(stopped).toEqual(["api", "pool"]);
  expect(said).toEqual([
    "The runner did not stop within 0.01 s and is left behind.",
    "The log did not stop cleanly: gone",
  ]);
});
