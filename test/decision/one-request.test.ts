import { expect, test, vi } from "vitest";

import { accept, defineCommand } from "../../engine/decision/definition.ts";
import { all } from "../conformance/event-store.ts";
import { buy, giveBack, newDecider, newStore, open, Opened, shows } from "./seats.ts";

const opening = Date.UTC(2013, 9, 1);
const at = (day: number) => ({ correlationId: "import", atMs: opening + day * 86_400_000 });

/** A decider of an import, which holds the store. */
async function importing() {
  const { store, codec } = newStore();
  await store.hold.acquire("import", opening);
  const append = vi.spyOn(store, "append");
  const decider = newDecider(store, codec, {
    as: { holder: "import" },
    requests: "one-per-round",
  });
  return { store, decider, append };
}

test("commands of many days go in one request, each decided and recorded at its time", async () => {
  const { store, decider, append } = await importing();
  const closesAtMs = at(3).atMs;
  const results = await Promise.all([
    decider.execute(open({ show: "a", seats: 2 }), at(0)),
    decider.execute(open({ show: "b", seats: 2 }), at(0)),
    decider.execute(buy({ show: "a", person: "p", closesAtMs }), at(1)),
    decider.execute(buy({ show: "b", person: "p", closesAtMs }), at(2)),
    decider.execute(buy({ show: "a", person: "q", closesAtMs }), at(3)),
  ]);
  expect(results.map(({ outcome }) => outcome)).toEqual([
    "accepted",
    "accepted",
    "accepted",
    "accepted",
    "refused",
  ]);
  expect(append).toHaveBeenCalledTimes(1);
  const recorded = (await all(store)).map((stored) => stored.recordedAtMs);
  expect(recorded).toEqual([0, 0, 1, 2].map((day) => at(day).atMs));
  expect(await store.hold.current()).toMatchObject({ clockMs: at(2).atMs });
});

test("models that a round's facts change are not read again", async () => {
  const { store, decider } = await importing();
  await decider.execute(open({ show: "a", seats: 5 }), at(0));
  const bought = await decider.execute(buy({ show: "a", person: "p" }), at(1));
  const ticket = bought.outcome === "accepted" ? bought.answer.ticket : "";
  // It reads the ticket alone, and changes the show and the person too.
  await decider.execute(giveBack({ ticket }), at(2));
  const read = vi.spyOn(store, "read");
  const again = await decider.execute(buy({ show: "a", person: "p" }), at(3));
  expect(again.outcome).toBe("accepted");
  expect(read).not.toHaveBeenCalled();
});

test("one call that fails fails the round, so that nothing is recorded without it", async () => {
  const { store, decider } = await importing();
  const broken = defineCommand({
    name: "broken",
    reads: () => ({}),
    decide: () => accept([{ topic: shows, type: Opened, event: {} }], undefined),
  });
  const results = await Promise.allSettled([
    decider.execute(open({ show: "a", seats: 2 }), at(0)),
    decider.execute(broken(undefined), at(1)),
    decider.execute(open({ show: "b", seats: 2 }), at(2)),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(await all(store)).toEqual([]);
});

test("many calls that are each followed by another read the store as often as one does", async () => {
  const readsOf = async (count: number): Promise<number> => {
    const { store, decider, append } = await importing();
    const read = vi.spyOn(store, "read");
    const results = await Promise.all(
      Array.from({ length: count }, (_, index) => {
        const show = `show-${index}`;
        const accepted = () => buy({ show, person: `person-${index}` });
        return decider.execute(open({ show, seats: 1 }), at(0), { accepted });
      }),
    );
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(["accepted"]));
    expect(append).toHaveBeenCalledTimes(1);
    expect(await all(store)).toHaveLength(2 * count);
    return read.mock.calls.length - 1;
  };
  expect(await readsOf(300)).toBe(await readsOf(1));
});
