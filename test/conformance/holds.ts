import { expect, test, vi } from "vitest";

import { epoch } from "../../engine/position.ts";
import type { HealOutcome } from "../../engine/ports/generations.ts";
import { fill, type GenerationsSubject, named, twoGenerations } from "./generations-subject.ts";
import { places, topic } from "./store-samples.ts";

export function holdConformance(subject: () => GenerationsSubject): void {
  test("a hold is listed with the time that is left of it, until it is released", async () => {
    const { generations } = subject();
    const { live } = await twoGenerations(subject());
    const id = await generations.hold(live, 60_000);
    const mine = async () => (await generations.holds()).filter((one) => one.id === id);
    const [hold] = await mine();
    expect(hold).toEqual({ id, ...named(live), leftMs: expect.any(Number) });
    expect(hold?.leftMs).toBeGreaterThan(30_000);
    expect(hold?.leftMs).toBeLessThanOrEqual(60_000);
    await generations.release(id);
    await generations.release(id);
    expect(await mine()).toEqual([]);
  });

  test("a hold whose time is over is none, whoever asked for it", async () => {
    const { generations, store } = subject();
    const { live } = await twoGenerations(subject());
    const [owned] = await store.claim(live, places(0));
    const id = await generations.hold(live, 40);
    await subject().pass(60);
    expect((await generations.holds()).filter((one) => one.id === id)).toEqual([]);
    await generations.stand(id, [{ topic, partition: 0, epoch: owned?.epoch ?? epoch(0) }]);
    expect(await generations.standing(id)).toEqual([]);
  });

  test("partitions stand while they have the epoch under which they said so", async () => {
    const { generations, store } = subject();
    const { live } = await twoGenerations(subject());
    const owned = await store.claim(live, places(0, 1));
    const id = await generations.hold(live, 60_000);
    expect(await generations.standing(id)).toEqual([]);
    const told = owned.map(({ topic, partition, epoch }) => ({ topic, partition, epoch }));
    await generations.stand(id, told);
    await generations.stand(id, told.slice(0, 1));
    expect(await generations.standing(id)).toEqual(told);
    const [again] = await store.claim(live, places(1));
    expect(await generations.standing(id)).toEqual(told.slice(0, 1));
    if (again === undefined) throw new Error("Nothing was claimed.");
    await generations.stand(id, [{ topic, partition: 1, epoch: again.epoch }]);
    const epochs = (await generations.standing(id)).map((one) => one.epoch);
    expect(epochs).toEqual([told[0]?.epoch, again.epoch]);
    await generations.release(id);
    expect(await generations.standing(id)).toEqual([]);
  });

  test("a generation that isn't there can't be held", async () => {
    const { generations } = subject();
    const { live } = await twoGenerations(subject());
    const held = generations.hold({ ...live, generation: 9 }, 1_000);
    await expect(held).rejects.toMatchObject({ code: "generation-unknown" });
  });
}

export function healConformance(subject: () => GenerationsSubject): void {
  test("heals are asked for, answered once, and remembered", async () => {
    const { generations } = subject();
    const { live } = await twoGenerations(subject());
    const ids: bigint[] = [];
    for (const key of ["M1", "M2", "M1"]) {
      ids.push(await generations.askHeal({ ...named(live), key }));
    }
    const mine = async () =>
      (await generations.healAsks(1_000)).filter((one) => one.projection === live.projection);
    expect(await mine()).toEqual(
      ["M1", "M2", "M1"].map((key, at) => ({ id: ids[at], ...named(live), key })),
    );
    expect(await generations.healAsks(1)).toHaveLength(1);
    const [first = 0n, second = 0n, third = 0n] = ids;
    const healed: HealOutcome = { kind: "healed", before: null, after: '{"held":"\\u0000"}' };
    await generations.answerHeal(first, healed);
    await generations.answerHeal(first, { kind: "sound" });
    await generations.answerHeal(second, { kind: "failed", reason: "a NUL: \0" });
    expect(await generations.healOutcome(first)).toEqual(healed);
    expect(await generations.healOutcome(second)).toEqual({
      kind: "failed",
      reason: "a NUL: \0",
    });
    expect(await generations.healOutcome(third)).toBeUndefined();
    expect((await mine()).map(({ id }) => id)).toEqual([third]);
  });

  test("nobody waits for the heal of a generation that is given up", async () => {
    const { generations } = subject();
    const { shadow } = await twoGenerations(subject());
    const id = await generations.askHeal({ ...named(shadow), key: "M1" });
    await generations.retire(shadow);
    expect(await generations.healOutcome(id)).toMatchObject({ kind: "failed" });
  });
}

export function turnConformance(subject: () => GenerationsSubject): void {
  test("a turn comes soon after a swap, a hold and a stand, and turns end with their signal", async () => {
    const { generations, store } = subject();
    const { live, shadow, projection } = await twoGenerations(subject());
    for (const one of [live, shadow]) await fill(store, one, { held: { M1: 1 }, upTo: 1 });
    const stop = new AbortController();
    const seen = { hold: 0n, serving: 0, turns: 0 };
    const following = (async () => {
      for await (const _ of generations.turns(stop.signal)) {
        seen.turns += 1;
        seen.hold =
          (await generations.holds()).find((one) => one.projection === projection)?.id ?? 0n;
        const [serves] = (await generations.list(projection)).filter((one) => one.serving);
        seen.serving = serves?.generation ?? 0;
      }
    })();
    const soon = { timeout: 2_000, interval: 5 };
    await vi.waitFor(() => expect(seen.serving).toBe(1), soon);
    const hold = await generations.hold(live, 60_000);
    await vi.waitFor(() => expect(seen.hold).toBe(hold), soon);
    const swap = { projection, from: 1, to: 2, condition: "equal", keepMs: 1_000 } as const;
    await generations.swap(swap);
    await vi.waitFor(() => expect(seen.serving).toBe(2), soon);
    await generations.release(hold);
    await vi.waitFor(() => expect(seen.hold).toBe(0n), soon);
    stop.abort();
    await following;
    expect(seen.turns).toBeGreaterThan(2);
  });
}
