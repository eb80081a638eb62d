import { describe, expect, test } from "vitest";

import type { EffectLedger, StoredEffect } from "../../engine/ports/effect-ledger.ts";
import { at } from "./store-samples.ts";
import { command } from "../event-store/events.ts";
import {
  appendedWith,
  effect,
  firstOf,
  requestWith,
  unique,
  type AlongsideSubject,
} from "./alongside-subject.ts";

type Subject = () => AlongsideSubject;

const keysOf = (effects: readonly StoredEffect[]): string[] => effects.map(({ key }) => key);

const takeOf = (ledger: EffectLedger, kind: string, limit = 100) =>
  ledger.take({ kinds: [kind], limit, leaseMs: 10_000 });

/** Effects of a kind of their own, each requested by an append of its own. */
async function requested({ store }: AlongsideSubject, count: number, secret?: unknown) {
  const kind = unique("kind");
  const effects = Array.from({ length: count }, () =>
    effect({ kind, ...(secret === undefined ? {} : { secret }) }),
  );
  for (const one of effects) await appendedWith(store, { effects: [one] });
  return { kind, keys: effects.map(({ key }) => key), effects };
}

/** What every adapter of `EffectLedger` promises. */
export function effectLedgerConformance(adapter: string, subject: Subject): void {
  describe(`effect ledger, ${adapter}`, () => {
    taking(subject);
    beginning(subject);
    failing(subject);
    ending(subject);
    finding(subject);
  });
}

function taking(subject: Subject): void {
  test("an effect is kept as it was asked for", async () => {
    const given = effect({ kind: unique("kind"), causationId: "why", traceparent: "00-1-2-01" });
    await appendedWith(subject().store, { effects: [given] });
    const stored = await subject().effectLedger.find(given.key);
    expect(stored).toMatchObject({ ...given, state: "requested", attempts: 0 });
    expect(stored?.startedAt).toBeUndefined();
    expect(stored).not.toHaveProperty("secret");
    expect(await subject().effectLedger.find(unique("none"))).toBeUndefined();
  });

  test("takes those that are due for longest, of the kinds that are asked for", async () => {
    const { effectLedger: ledger } = subject();
    const { kind, keys } = await requested(subject(), 3);
    await requested(subject(), 1);
    const first = await takeOf(ledger, kind, 2);
    expect(keysOf(first)).toEqual(keys.slice(0, 2));
    expect(first[0]).toMatchObject({ state: "started", attempts: 1, startedAt: expect.any(Date) });
    expect(keysOf(await takeOf(ledger, kind))).toEqual(keys.slice(2));
    expect(await takeOf(ledger, kind)).toEqual([]);
  });

  test("effects of one append are taken in its order", async () => {
    const kind = unique("kind");
    const effects = Array.from({ length: 20 }, () => effect({ kind }));
    await appendedWith(subject().store, { effects });
    const taken = await takeOf(subject().effectLedger, kind);
    expect(keysOf(taken)).toEqual(effects.map(({ key }) => key));
  });

  test("two callers at once never take the same", async () => {
    const { effectLedger: ledger, store } = subject();
    const kind = unique("kind");
    const effects = Array.from({ length: 200 }, () => effect({ kind }));
    await appendedWith(store, { effects });
    const takes = await Promise.all(Array.from({ length: 8 }, () => takeOf(ledger, kind, 40)));
    const taken = [...takes.flatMap(keysOf), ...keysOf(await takeOf(ledger, kind, 200))];
    expect(taken.sort()).toEqual(effects.map(({ key }) => key).sort());
  });

  test("a try that has not ended with its lease is due again, and counts", async () => {
    const { effectLedger: ledger, pass } = subject();
    const { kind, keys } = await requested(subject(), 1, { token: "tok" });
    await takeOf(ledger, kind);
    await pass(9_000);
    expect(await takeOf(ledger, kind)).toEqual([]);
    await pass(1_001);
    const again = at(await takeOf(ledger, kind), 0);
    expect(again).toMatchObject({ key: keys[0], attempts: 2, secret: { token: "tok" } });
  });
}

function beginning(subject: Subject): void {
  test("an effect with a lease begins as it is requested, and is due again when the lease ends", async () => {
    const { effectLedger: ledger, store, pass } = subject();
    const kind = unique("kind");
    const [begins, waits] = [effect({ kind, leaseMs: 10_000, secret: "tok" }), effect({ kind })];
    const { begun } = await appendedWith(store, { effects: [begins, waits] });
    expect(begun).toEqual([begins.key]);
    const stored = await ledger.find(begins.key);
    expect(stored).toMatchObject({ state: "started", attempts: 1, startedAt: expect.any(Date) });
    expect(stored).not.toHaveProperty("leaseMs");
    expect(keysOf(await takeOf(ledger, kind))).toEqual([waits.key]);
    await pass(10_001);
    const again = await takeOf(ledger, kind);
    expect(again.find(({ key }) => key === begins.key)).toMatchObject({
      attempts: 2,
      secret: "tok",
    });
  });

  test("an effect begins once, however often it is asked for", async () => {
    const { effectLedger: ledger, store } = subject();
    const [known, fresh] = [effect({ leaseMs: 10_000 }), effect({ leaseMs: 10_000 })];
    const first = await appendedWith(store, { effects: [known, known] });
    expect(first.begun).toEqual([known.key]);
    const verdicts = await Promise.all([
      appendedWith(store, { effects: [known, fresh] }),
      appendedWith(store, { effects: [fresh, known] }),
    ]);
    expect(verdicts.flatMap(({ begun = [] }) => begun)).toEqual([fresh.key]);
    expect(await ledger.find(known.key)).toMatchObject({ state: "started", attempts: 1 });
    expect(await ledger.find(fresh.key)).toMatchObject({ state: "started", attempts: 1 });
  });

  test("an effect that has begun in an append that is refused has not begun", async () => {
    const { effectLedger: ledger, store } = subject();
    const wanted = effect({ leaseMs: 10_000 });
    const tag = unique("registration:r");
    await appendedWith(store, {}, firstOf(tag));
    const refused = await store.append(requestWith({ effects: [wanted] }, firstOf(tag)), command);
    expect(refused.outcome).toBe("conflict");
    expect(await ledger.find(wanted.key)).toBeUndefined();
  });
}

function failing(subject: Subject): void {
  test("a try that is postponed is due after that time, its error told", async () => {
    const { effectLedger: ledger, pass } = subject();
    const { kind, keys } = await requested(subject(), 2);
    await takeOf(ledger, kind);
    const key = at(keys, 0);
    await ledger.postpone(key, { afterMs: 30_000, error: "No \0 answer." });
    expect(await ledger.find(key)).toMatchObject({
      state: "requested",
      attempts: 1,
      error: expect.stringMatching(/^No . answer\.$/u),
    });
    await pass(29_000);
    expect(keysOf(await takeOf(ledger, kind))).toEqual([keys[1]]);
    await pass(1_001);
    expect(keysOf(await takeOf(ledger, kind))).toEqual([key]);
  });

  test("what was given up is not taken, and its secret is gone", async () => {
    const { effectLedger: ledger, pass } = subject();
    const { kind, keys } = await requested(subject(), 1, "tok");
    const key = at(keys, 0);
    await takeOf(ledger, kind);
    await ledger.giveUp(key, "Unknown card.");
    await pass(60_000);
    expect(await takeOf(ledger, kind)).toEqual([]);
    const stored = await ledger.find(key);
    expect(stored).toMatchObject({ state: "failed", error: "Unknown card.", attempts: 1 });
    expect(stored?.endedAt).toBeInstanceOf(Date);
    expect(stored).not.toHaveProperty("secret");
    await ledger.postpone(key, { afterMs: 0, error: "late" });
    expect(await ledger.find(key)).toMatchObject({ state: "failed", error: "Unknown card." });
  });

  test("tries that fail at the same time are all noted, and given up is given up", async () => {
    const { effectLedger: ledger, store } = subject();
    const kind = unique("kind");
    const effects = Array.from({ length: 60 }, () => effect({ kind }));
    await appendedWith(store, { effects });
    await takeOf(ledger, kind);
    const later = { afterMs: 60_000, error: "No answer." };
    await Promise.all(
      effects.flatMap(({ key }, i) => {
        if (i % 3 === 0) return [ledger.postpone(key, later), ledger.giveUp(key, "Over.")];
        return i % 3 === 1
          ? [ledger.giveUp(key, "Over."), ledger.postpone(key, later)]
          : [ledger.postpone(key, later)];
      }),
    );
    const stored = await ledger.list({ kind, limit: 100 });
    expect(stored.map(({ state, error }) => `${state}: ${error}`)).toEqual(
      effects.map((_, i) => (i % 3 === 2 ? "requested: No answer." : "failed: Over.")),
    );
    expect(await takeOf(ledger, kind)).toEqual([]);
  });

  test("an operator has what was given up tried again, and nothing else", async () => {
    const { effectLedger: ledger } = subject();
    const { kind, keys } = await requested(subject(), 2);
    await takeOf(ledger, kind);
    await ledger.giveUp(at(keys, 1), "Unknown card.");
    expect(await ledger.retry([...keys, unique("none")])).toBe(1);
    expect(await ledger.retry(keys)).toBe(0);
    const stored = await ledger.find(at(keys, 1));
    expect(stored).toMatchObject({ state: "requested", endedAt: undefined });
    expect(at(await takeOf(ledger, kind), 0)).toMatchObject({ key: keys[1], attempts: 2 });
  });
}

function ending(subject: Subject): void {
  test("a settled effect is done, its answer kept and its secret gone", async () => {
    const { effectLedger: ledger, store, pass } = subject();
    const { kind, keys } = await requested(subject(), 1, "tok");
    const key = at(keys, 0);
    await takeOf(ledger, kind);
    await ledger.postpone(key, { afterMs: 0, error: "No answer." });
    await takeOf(ledger, kind);
    await appendedWith(store, { settled: [{ key, answer: { id: "ch_1" } }] }, { events: [] });
    const stored = await ledger.find(key);
    expect(stored).toMatchObject({ state: "done", attempts: 2, answer: { id: "ch_1" } });
    expect(stored?.error).toBeUndefined();
    expect(stored?.endedAt).toBeInstanceOf(Date);
    expect(stored).not.toHaveProperty("secret");
    await pass(60_000);
    expect(await takeOf(ledger, kind)).toEqual([]);
  });

  test("an effect that is done stays as it is, whatever is said of it later", async () => {
    const { effectLedger: ledger, store } = subject();
    const { kind, keys, effects } = await requested(subject(), 1);
    const key = at(keys, 0);
    await takeOf(ledger, kind);
    await appendedWith(store, { settled: [{ key, answer: "first" }] });
    const done = await ledger.find(key);
    await appendedWith(store, { settled: [{ key, answer: "second" }], effects });
    await ledger.postpone(key, { afterMs: 0, error: "late" });
    await ledger.giveUp(key, "late");
    expect(await ledger.retry([key])).toBe(0);
    expect(await ledger.find(key)).toEqual(done);
  });

  test("an answer that comes after an effect was given up settles it", async () => {
    const { effectLedger: ledger, store } = subject();
    const { kind, keys } = await requested(subject(), 1);
    const key = at(keys, 0);
    await takeOf(ledger, kind);
    await ledger.giveUp(key, "No answer.");
    await appendedWith(store, { settled: [{ key, answer: null }] });
    expect(await ledger.find(key)).toMatchObject({ state: "done", answer: null });
  });

  test("of an unknown key nothing is settled", async () => {
    const { effectLedger: ledger, store } = subject();
    const key = unique("none");
    await appendedWith(store, { settled: [{ key, answer: 1 }] });
    expect(await ledger.find(key)).toBeUndefined();
  });
}

function finding(subject: Subject): void {
  test("lists by kind, state, tag and correlation, in order of being requested", async () => {
    const { effectLedger: ledger, store } = subject();
    const kind = unique("kind");
    const [tag, correlationId] = [unique("payment:p"), unique("c")];
    const mine = { kind, tags: ["student:s", tag], correlationId };
    const effects = [effect(mine), effect({ kind }), effect(mine), effect({ ...mine, kind: "b" })];
    await appendedWith(store, { effects });
    const [first, second, third, other] = effects.map(({ key }) => key);
    await takeOf(ledger, kind, 2);
    await ledger.giveUp(at(effects, 1).key, "No.");
    await appendedWith(store, { settled: [{ key: at(effects, 0).key, answer: 1 }] });
    const list = async (filter: object) => keysOf(await ledger.list({ limit: 10, ...filter }));
    expect(await list({ kind })).toEqual([first, second, third]);
    expect(await list({ kind, limit: 2 })).toEqual([first, second]);
    expect(await list({ tag })).toEqual([first, third, other]);
    expect(await list({ correlationId })).toEqual([first, third, other]);
    expect(await list({ kind, state: "done" })).toEqual([first]);
    expect(await list({ kind, state: "failed" })).toEqual([second]);
    expect(await list({ correlationId, state: "requested" })).toEqual([third, other]);
    expect(await list({ tag: unique("payment:p") })).toEqual([]);
  });

  test("counts what is not done by kind and state, with the age of the oldest", async () => {
    const { effectLedger: ledger, store, pass } = subject();
    const { kind, keys } = await requested(subject(), 2);
    await pass(5_000);
    const last = effect({ kind });
    await appendedWith(store, { effects: [last] });
    await takeOf(ledger, kind, 2);
    await appendedWith(store, { settled: [{ key: at(keys, 0), answer: 1 }] });
    const counts = (await ledger.counts()).filter((one) => one.kind === kind);
    expect(counts).toEqual([
      { kind, state: "requested", effects: 1, oldestMs: expect.any(Number) },
      { kind, state: "started", effects: 1, oldestMs: expect.any(Number) },
    ]);
    expect(at(counts, 0).oldestMs).toBeLessThan(5_000);
    expect(at(counts, 1).oldestMs).toBeGreaterThanOrEqual(5_000);
  });
}
