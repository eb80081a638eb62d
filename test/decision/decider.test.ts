import { expect, test, vi } from "vitest";

import { ModelCache } from "../../engine/decision/model-cache.ts";
import type { CommandResult } from "../../engine/decision/outcome.ts";
import type { AppendVerdict } from "../../engine/ports/event-store.ts";
import { all } from "../conformance/event-store.ts";
import { buy, giveBack, newDecider, newStore, open, origin, soldByShow } from "./seats.ts";

function accepted<Answer>(
  result: CommandResult<Answer>,
): Extract<CommandResult<Answer>, { outcome: "accepted" }> {
  if (result.outcome !== "accepted") expect.fail(`The outcome is ${JSON.stringify(result)}.`);
  return result;
}

test("commands that wait together become one append for each group that hangs together", async () => {
  const { store, codec } = newStore();
  const decider = newDecider(store, codec);
  await decider.execute(open({ show: "a", seats: 5 }), origin);
  await decider.execute(open({ show: "b", seats: 50 }), origin);
  const append = vi.spyOn(store, "append");
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      decider.execute(buy({ show: i % 2 ? "a" : "b", person: `p${i}` }), origin),
    ),
  );
  expect(append).toHaveBeenCalledTimes(2);
  expect(results.filter((result) => result.outcome === "accepted")).toHaveLength(15);
  expect(results.filter((result) => result.outcome === "refused")).toHaveLength(5);
  expect(soldByShow(await all(store), 50)).toEqual(
    new Map([
      ["a", 5],
      ["b", 10],
    ]),
  );
});

test("an accepted command tells what the store gave its facts", async () => {
  const { store, codec } = newStore();
  const decider = newDecider(store, codec);
  await decider.execute(open({ show: "a", seats: 1 }), origin);
  const result = accepted(await decider.execute(buy({ show: "a", person: "p" }), origin));
  const stored = (await all(store)).at(-1);
  expect(result.recorded[0]?.at.position).toBe(stored?.position);
  expect(stored?.tags).toEqual(["show:a", "person:p", `ticket:${result.answer.ticket}`]);
  expect(stored).toMatchObject({ key: "a", type: "shop.Sold", correlationId: "test" });
});

test("a model that is behind does not refuse: the store is asked", async () => {
  const { store, codec } = newStore();
  const [one, two] = [newDecider(store, codec), newDecider(store, codec)];
  await one.execute(open({ show: "a", seats: 1 }), origin);
  const bought = accepted(await one.execute(buy({ show: "a", person: "p" }), origin));
  await two.execute(giveBack({ ticket: bought.answer.ticket }), origin);
  const again = await one.execute(buy({ show: "a", person: "q" }), origin);
  expect(again.outcome).toBe("accepted");
  const late = await two.execute(buy({ show: "a", person: "r" }), origin);
  expect(late).toMatchObject({ outcome: "refused", refusal: { code: "sold-out" } });
});

test("a decision on the time is made again when the time comes before the append", async () => {
  const { store, codec, clock } = newStore();
  const decider = newDecider(store, codec);
  const closesAtMs = clock.nowMs() + 1_000;
  await decider.execute(open({ show: "a", seats: 9 }), origin);
  const early = await decider.execute(buy({ show: "a", person: "p", closesAtMs }), origin);
  expect(early.outcome).toBe("accepted");
  clock.advance(1_000);
  const late = await decider.execute(buy({ show: "a", person: "q", closesAtMs }), origin);
  expect(late).toMatchObject({ outcome: "refused", refusal: { code: "closed" } });
  expect(late).toMatchObject({ recordedAtMs: closesAtMs });
});

test("after its conflicts a command is decided under the lock", async () => {
  const { store, codec } = newStore();
  const [one, rival] = [newDecider(store, codec, { conflictsMax: 2 }), newDecider(store, codec)];
  await rival.execute(open({ show: "a", seats: 100 }), origin);
  const append = store.append.bind(store);
  let rivals = 0;
  vi.spyOn(store, "append").mockImplementation(async (request, options): Promise<AppendVerdict> => {
    // Somebody else is always quicker.
    const quick = request.events[0]?.tags.includes("person:p");
    if (quick) await rival.execute(buy({ show: "a", person: `r${(rivals += 1)}` }), origin);
    return append(request, options);
  });
  const locked = vi.spyOn(store, "appendLocked");
  const result = await one.execute(buy({ show: "a", person: "p" }), origin);
  expect(result.outcome).toBe("accepted");
  expect(rivals).toBe(2);
  expect(locked).toHaveBeenCalledTimes(1);
});

test("commands that have conflicted together are decided under one lock", async () => {
  const { store, codec } = newStore();
  const [one, rival] = [newDecider(store, codec, { conflictsMax: 2 }), newDecider(store, codec)];
  await rival.execute(open({ show: "a", seats: 6 }), origin);
  const append = store.append.bind(store);
  let rivals = 0;
  vi.spyOn(store, "append").mockImplementation(async (request, options): Promise<AppendVerdict> => {
    const quick = request.events[0]?.tags.includes("person:p0");
    if (quick) await rival.execute(buy({ show: "a", person: `r${(rivals += 1)}` }), origin);
    return append(request, options);
  });
  const locked = vi.spyOn(store, "appendLocked");
  const crowd = Array.from({ length: 5 }, (_, at) => buy({ show: "a", person: `p${at}` }));
  const results = await Promise.all(crowd.map((call) => one.execute(call, origin)));
  expect(results.map(({ outcome }) => outcome)).toEqual([
    "accepted",
    "accepted",
    "accepted",
    "accepted",
    "refused",
  ]);
  expect(rivals).toBe(2);
  expect(locked).toHaveBeenCalledTimes(1);
  expect(soldByShow(await all(store), 6)).toEqual(new Map([["a", 6]]));
});

test("a held store answers every command with who holds it", async () => {
  const { store, codec } = newStore();
  await store.hold.acquire("import", 1_000);
  const result = await newDecider(store, codec).execute(open({ show: "a", seats: 1 }), origin);
  expect(result).toEqual({ outcome: "held", by: "import" });
});

test("the same seed gives the same ids, and so one event", async () => {
  const { store, codec } = newStore();
  const seeded = { ...origin, seed: "record-1/0" };
  await newDecider(store, codec).execute(open({ show: "a", seats: 9 }), origin);
  const one = await newDecider(store, codec).execute(buy({ show: "a", person: "p" }), seeded);
  const two = await newDecider(store, codec).execute(buy({ show: "a", person: "p" }), seeded);
  expect(accepted(two).answer).toEqual(accepted(one).answer);
  expect(await all(store)).toHaveLength(2);
});

test("models that are dropped from the cache are read again", async () => {
  const { store, codec } = newStore();
  const decider = newDecider(store, codec, { models: new ModelCache({ modelsMax: 1 }) });
  for (const show of ["a", "b", "c"]) await decider.execute(open({ show, seats: 2 }), origin);
  for (let i = 0; i < 9; i += 1) {
    await decider.execute(buy({ show: "abc"[i % 3] as string, person: `p${i}` }), origin);
  }
  expect(soldByShow(await all(store), 2)).toEqual(
    new Map([
      ["a", 2],
      ["b", 2],
      ["c", 2],
    ]),
  );
});

test("a plan writes nothing itself, and is planned again after a conflict", async () => {
  const { store, codec } = newStore();
  const [processor, rival] = [newDecider(store, codec), newDecider(store, codec)];
  await rival.execute(open({ show: "a", seats: 2 }), origin);
  const calls = [
    { call: buy({ show: "a", person: "p" }), origin: { ...origin, seed: "r/0" } },
    {
      call: giveBack({ ticket: "unknown" }),
      origin: { ...origin, seed: "r/1" },
      refused: () => buy({ show: "a", person: "q" }),
    },
  ];
  const first = await processor.plan(calls);
  expect(first.requests.flatMap((request) => request.events)).toHaveLength(2);
  expect(await all(store)).toHaveLength(1);
  await rival.execute(buy({ show: "a", person: "r" }), origin);
  expect(await processor.settle(first, store.appendAll(first.requests))).toEqual({
    outcome: "again",
  });
  const second = await processor.plan(calls);
  const settled = await processor.settle(second, store.appendAll(second.requests));
  if (settled.outcome !== "settled") expect.fail("The second plan was not appended.");
  expect(settled.calls[0]?.result.outcome).toBe("accepted");
  expect(settled.calls[1]?.result).toMatchObject({ refusal: { code: "ticket-unknown" } });
  expect(settled.calls[1]?.next[0]?.result).toMatchObject({ refusal: { code: "sold-out" } });
  expect(soldByShow(await all(store), 2)).toEqual(new Map([["a", 2]]));
});
