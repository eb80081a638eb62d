import { expect, test, vi } from "vitest";

import { ModelCache } from "../../engine/decision/model-cache.ts";
import { all } from "../conformance/event-store.ts";
import { buy, newDecider, newStore, open, origin, perPerson, soldByShow } from "./seats.ts";

test("what is expected to be new is decided on without a look at the store", async () => {
  const { store, codec } = newStore();
  const read = vi.spyOn(store, "read");
  const result = await newDecider(store, codec).execute(open({ show: "a", seats: 2 }), origin);
  expect(result.outcome).toBe("accepted");
  expect(read).not.toHaveBeenCalled();
});

test("where it isn't new, the call is decided again on what there is", async () => {
  const { store, codec } = newStore();
  await newDecider(store, codec).execute(open({ show: "a", seats: 2 }), origin);
  const again = await newDecider(store, codec).execute(open({ show: "a", seats: 9 }), origin);
  expect(again).toMatchObject({ outcome: "accepted", recorded: [] });
  expect(await all(store)).toHaveLength(1);
});

test("a refusal and an acceptance are both checked: nobody gets more than may be had", async () => {
  const { store, codec } = newStore();
  await newDecider(store, codec).execute(open({ show: "a", seats: 99 }), origin);
  const outcomes: string[] = [];
  for (let i = 0; i <= perPerson; i += 1) {
    // Nothing is known to it, and it keeps nothing either.
    const decider = newDecider(store, codec, { models: new ModelCache({ modelsMax: 1 }) });
    outcomes.push((await decider.execute(buy({ show: "a", person: "p" }), origin)).outcome);
  }
  expect(outcomes).toEqual([...Array<string>(perPerson).fill("accepted"), "refused"]);
  expect(soldByShow(await all(store), 99).get("a")).toBe(perPerson);
});

test("a plan that was wrong expects nothing any more, also of what it has forgotten", async () => {
  const { store, codec } = newStore();
  const rival = newDecider(store, codec);
  const shows = ["a", "b", "c", "d", "e"];
  for (const show of shows) await rival.execute(open({ show, seats: 1 }), origin);
  const decider = newDecider(store, codec, { models: new ModelCache({ modelsMax: 1 }) });
  const calls = shows.map((show) => ({ call: open({ show, seats: 7 }), origin }));
  const first = await decider.plan(calls);
  const verdicts = await Promise.all(
    first.requests.map((request) => store.append(request, { as: "processor" })),
  );
  expect(verdicts.map(({ outcome }) => outcome)).toEqual(shows.map(() => "conflict"));
  expect(await decider.settle(first, verdicts)).toEqual({ outcome: "again" });
  const second = await decider.plan(calls.map((call) => ({ ...call, conflicts: 1 })));
  expect(second.requests.flatMap(({ events }) => events)).toEqual([]);
});
