import { expect, test } from "vitest";

import { PostgresEventStore } from "../../connectors/postgres/event-store/event-store.ts";
import { command, event, nothingAfter } from "./events.ts";
import { poolOfTest } from "./store.ts";

test("of 16 racers for one seat exactly one gets it", async () => {
  const pool = await poolOfTest(16);
  const stores = Array.from({ length: 16 }, () => new PostgresEventStore({ pool }));
  for (let round = 0; round < 5; round += 1) {
    const seat = `seat:${round}`;
    const verdicts = await Promise.all(
      stores.map((store) =>
        store.append(
          { events: [event("Taken", [seat])], condition: [nothingAfter(0, [seat])] },
          command,
        ),
      ),
    );
    const outcomes = verdicts.map((verdict) => verdict.outcome);
    expect(outcomes.filter((outcome) => outcome === "appended")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "conflict")).toHaveLength(15);
  }
});
