import { describe, expect, test } from "vitest";

import type { Alongside } from "../../engine/ports/alongside.ts";
import type { AppendVerdict } from "../../engine/ports/event-store.ts";
import { command, event, nothingAfter } from "../event-store/events.ts";
import {
  appended,
  appendedWith,
  countTagged,
  effect,
  firstOf,
  once,
  requestWith,
  setDeadline,
  unique,
  type AlongsideSubject,
} from "./alongside-subject.ts";
import { advance, at, freshName, laneAt, places, topic } from "./store-samples.ts";

type Subject = () => AlongsideSubject;

/** One of everything, and what is there of it. */
function everything() {
  const [wanted, key, name] = [effect(), unique("key"), unique("due")];
  const alongside: Alongside = {
    once: [once(key)],
    effects: [wanted],
    deadlines: [setDeadline(name, "a", 10)],
  };
  const there = async ({ effectLedger, deadlines, idempotencyKeys }: AlongsideSubject) => ({
    effect: (await effectLedger.find(wanted.key))?.state,
    deadline: await deadlines.nextAtMs([name]),
    answer: (await idempotencyKeys.find({ scope: "clients", key }))?.state,
  });
  return { alongside, there, key, name, wanted };
}

function circle(): unknown {
  const around: { again?: unknown } = {};
  around.again = around;
  return around;
}

const nothing = { effect: undefined, deadline: undefined, answer: undefined };
const all = { effect: "requested", deadline: 10, answer: "answered" };

/** What every `EventStore` and `ProcessorStore` promises of what comes with appends. */
export function alongsideConformance(adapter: string, subject: Subject): void {
  describe(`what comes with appends, ${adapter}`, () => {
    togetherOrNot(subject);
    marking(subject);
    racing(subject);
    repeating(subject);
    locked(subject);
    flushing(subject);
  });
}

function togetherOrNot(subject: Subject): void {
  test("is there once the events are", async () => {
    const { alongside, there, key } = everything();
    const { events } = await appendedWith(subject().store, alongside);
    expect(await there(subject())).toEqual(all);
    const kept = await subject().idempotencyKeys.find({ scope: "clients", key });
    expect(kept).toMatchObject({ answer: { of: key }, events });
  });

  test("comes without events too", async () => {
    const { alongside, there } = everything();
    const verdict = await appendedWith(subject().store, alongside, { events: [] });
    expect(verdict).toMatchObject({ events: [], duplicate: false });
    expect(await there(subject())).toEqual(all);
  });

  test("is not written in a conflict, nor by who comes at a wrong time", async () => {
    const { store } = subject();
    const { alongside, there } = everything();
    const tag = unique("registration:r");
    await store.append(firstOf(tag), command);
    const conflict = await store.append({ ...firstOf(tag), alongside }, command);
    expect(conflict.outcome).toBe("conflict");
    const late = requestWith(alongside, { time: { notBeforeMs: 0, beforeMs: 1 } });
    expect((await store.append(late, command)).outcome).toBe("out-of-time");
    expect(await there(subject())).toEqual(nothing);
  });

  test("is not written while the store is held", async () => {
    const { store, hold } = subject();
    const { alongside, there } = everything();
    await hold.acquire("import", (await store.nowMs()) + 1);
    try {
      const verdict = await store.append(requestWith(alongside), command);
      expect(verdict).toMatchObject({ outcome: "held", by: "import" });
      expect(await there(subject())).toEqual(nothing);
    } finally {
      await hold.release();
    }
  });

  test("an effect that two requests want is one, as the first wants it", async () => {
    const { store, effectLedger } = subject();
    const [key, kind] = [unique("charge"), unique("kind")];
    const effects = [1, 2, 3].map((input) => effect({ key, kind, input }));
    await Promise.all(effects.map((one) => appendedWith(store, { effects: [one, one] })));
    expect(await effectLedger.list({ kind, limit: 10 })).toMatchObject([{ key, input: 1 }]);
  });

  test("each request of many at once has its own", async () => {
    const { store } = subject();
    const requests = Array.from({ length: 300 }, () => everything());
    await Promise.all(requests.map(({ alongside }) => appendedWith(store, alongside)));
    for (const { there } of requests.filter((_, i) => i % 30 === 0)) {
      expect(await there(subject())).toEqual(all);
    }
  });
}

function marking(subject: Subject): void {
  test("a key that was used gives its first answer, whatever else is asked", async () => {
    const { store, beside } = subject();
    const first = everything();
    const { events } = await appendedWith(store, first.alongside);
    const second = everything();
    const request = requestWith({
      ...second.alongside,
      once: [once(first.key, { fingerprint: "asked otherwise" })],
    });
    const kept = {
      state: "answered",
      scope: "clients",
      key: first.key,
      fingerprint: "asked so",
      answer: { of: first.key },
      events,
      keptAtMs: expect.any(Number) as number,
    };
    expect(await store.append(request, command)).toEqual({ outcome: "repeated", kept: [kept] });
    expect(await beside.append(request, command)).toEqual({ outcome: "repeated", kept: [kept] });
    expect(await countTagged(store, request.tag)).toBe(0);
    expect(await second.there(subject())).toEqual(nothing);
  });

  test("a used key is told before a conflict, and before that the events are there", async () => {
    const { store } = subject();
    const tag = unique("registration:r");
    const request = { ...firstOf(tag), alongside: { once: [once(unique("key"))] } };
    await store.append(request, command);
    expect((await store.append(request, command)).outcome).toBe("repeated");
    const other = { ...firstOf(tag), alongside: request.alongside };
    expect((await store.append(other, command)).outcome).toBe("repeated");
  });

  test("only those of a request's keys are told that were used", async () => {
    const { store } = subject();
    const [used, free] = [unique("key"), unique("key")];
    await appendedWith(store, { once: [once(used)] });
    const request = requestWith({ once: [once(free), once(used)] });
    const verdict = await store.append(request, command);
    expect(verdict).toMatchObject({ outcome: "repeated", kept: [{ key: used }] });
    await appendedWith(store, { once: [once(free)] });
  });

  test("a key that a request names twice is in progress", async () => {
    const { store } = subject();
    const key = unique("key");
    const request = requestWith({ once: [once(key), once(key)] });
    const kept = [{ state: "in-progress", scope: "clients", key }];
    expect(await store.append(request, command)).toEqual({ outcome: "repeated", kept });
    expect(await countTagged(store, request.tag)).toBe(0);
  });

  test.each<[string, () => unknown]>([
    ["a whole number without a word in JSON", () => ({ position: 1n })],
    ["a circle", circle],
  ])("an answer that is %s fails its own request, and writes nothing", async (_, answer) => {
    const { store } = subject();
    const { alongside, there, key } = everything();
    const request = requestWith({ ...alongside, once: [once(key, { answer: answer() })] });
    const others = [requestWith({ effects: [effect()] }), requestWith({})];
    const [failed, ...verdicts] = await Promise.allSettled(
      [request, ...others].map((one) => store.append(one, command)),
    );
    expect(failed).toMatchObject({ reason: { name: "InvariantViolation" } });
    expect(String((failed as PromiseRejectedResult).reason)).toContain(key);
    expect(verdicts).toMatchObject(others.map(() => ({ value: { outcome: "appended" } })));
    expect(await countTagged(store, request.tag)).toBe(0);
    expect(await there(subject())).toEqual(nothing);
  });
}

function racing(subject: Subject): void {
  const outcomes = (verdicts: readonly AppendVerdict[]) =>
    verdicts.filter(({ outcome }) => outcome === "appended").length;

  test("of many requests with one key, of two processes, one is appended", async () => {
    const { store, beside } = subject();
    for (let round = 0; round < 5; round += 1) {
      const key = unique("key");
      const tag = unique("registration:r");
      const requests = Array.from({ length: 20 }, () => ({
        events: [event("A", [tag])],
        condition: [],
        alongside: { once: [once(key)] },
      }));
      const verdicts = await Promise.all(
        requests.map((request, i) => (i % 2 === 0 ? store : beside).append(request, command)),
      );
      expect(outcomes(verdicts)).toBe(1);
      expect(await countTagged(store, tag)).toBe(1);
      const others = verdicts.filter(({ outcome }) => outcome === "repeated");
      expect(others).toHaveLength(19);
    }
  });

  test("a repeated request does not hold up those that are gathered with it", async () => {
    const { store } = subject();
    const used = unique("key");
    await appendedWith(store, { once: [once(used)] });
    const tag = unique("module:m");
    const requests = Array.from({ length: 40 }, (_, i) => ({
      events: [event("A", [tag, unique("registration:r")])],
      // Each may come after all others: only who has seen nothing of the tag conflicts.
      condition: i === 39 ? [nothingAfter(0, [tag])] : [],
      alongside: { once: [once(i % 2 === 0 ? used : unique("key"))], effects: [effect()] },
    }));
    const verdicts = await Promise.all(requests.map((one) => store.append(one, command)));
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(
      requests.map((_, i) => (i === 39 ? "conflict" : i % 2 === 0 ? "repeated" : "appended")),
    );
    const answers = verdicts.flatMap((verdict) => (verdict.outcome === "appended" ? verdict : []));
    expect(new Set(answers.map(({ events }) => at(events, 0).position)).size).toBe(19);
    expect(await countTagged(store, tag)).toBe(19);
  });
}

function repeating(subject: Subject): void {
  test("a request that is known already doubles nothing", async () => {
    const { store, effectLedger } = subject();
    const { alongside, there, wanted } = everything();
    const { once: _, ...rest } = alongside;
    const request = requestWith(rest);
    await store.append(request, command);
    await appendedWith(store, { settled: [{ key: wanted.key, answer: "done" }] });
    expect(appended(await store.append(request, command)).duplicate).toBe(true);
    expect(await effectLedger.find(wanted.key)).toMatchObject({ state: "done", answer: "done" });
    expect(await there(subject())).toMatchObject({ deadline: 10 });
  });

  test("a deadline that is over is not set again by a request that is known already", async () => {
    const { store, deadlines } = subject();
    const { alongside, name } = everything();
    const { once: _, ...rest } = alongside;
    const request = requestWith(rest);
    await store.append(request, command);
    await appendedWith(store, { deadlines: [{ change: "cancel", name, key: "a" }] });
    expect(appended(await store.append(request, command)).duplicate).toBe(true);
    expect(await deadlines.nextAtMs([name])).toBeUndefined();
  });

  test("of a request that is known already a new key is kept", async () => {
    const { store, idempotencyKeys } = subject();
    const request = requestWith({ once: [once(unique("key"))] });
    const { events } = appended(await store.append(request, command));
    const key = unique("key");
    const again = requestWith({ once: [once(key)] }, { events: request.events });
    expect(appended(await store.append(again, command)).duplicate).toBe(true);
    const kept = await idempotencyKeys.find({ scope: "clients", key });
    expect(kept).toMatchObject({ answer: { of: key }, events });
  });

  test("an answer is about events that were recorded before as about those that are new", async () => {
    const { store, beside, idempotencyKeys } = subject();
    const [before, key] = [requestWith({}), unique("key")];
    const earlier = appended(await store.append(before, command));
    const events = [event("A", ["module:m"]), at(before.events, 0), event("A", ["module:m"])];
    const request = requestWith({ once: [once(key)] }, { events });
    const verdict = appended(await store.append(request, command));
    expect(verdict.events[1]).toEqual(earlier.events[0]);
    const kept = await idempotencyKeys.find({ scope: "clients", key });
    expect(kept).toMatchObject({ state: "answered", events: verdict.events });
    const repeated = await beside.append(request, command);
    expect(repeated).toEqual({ outcome: "repeated", kept: [kept] });
  });

  test("an answer tells of the events that it is about, in its own order", async () => {
    const { store, idempotencyKeys } = subject();
    const [events, key] = [[1, 2, 3].map(() => event("A", ["module:m"])), unique("key")];
    const [first, , third] = events.map(({ id }) => id);
    const about = [third as string, first as string];
    const alongside = { once: [once(key, { events: about })] };
    const verdict = appended(await store.append({ events, condition: [], alongside }, command));
    const kept = await idempotencyKeys.find({ scope: "clients", key });
    expect(kept).toMatchObject({ events: [verdict.events[2], verdict.events[0]] });
  });
}

function locked(subject: Subject): void {
  test("comes with a decision under the lock, or not at all", async () => {
    const { store } = subject();
    const tag = unique("registration:r");
    const [first, second] = [everything(), everything()];
    const decide = (alongside: Alongside) => () => ({ ...firstOf(tag), alongside });
    const verdict = await store.appendLocked([], decide(first.alongside), command);
    appended(verdict);
    expect(await first.there(subject())).toEqual(all);
    const conflict = await store.appendLocked([], decide(second.alongside), command);
    expect(conflict.outcome).toBe("conflict");
    expect(await second.there(subject())).toEqual(nothing);
  });

  test("a decision under the lock with a used key is repeated", async () => {
    const { store } = subject();
    const { alongside, key } = everything();
    await appendedWith(store, alongside);
    const other = everything();
    const request = requestWith({ ...other.alongside, once: [once(key)] });
    const verdict = await store.appendLocked([], () => request, command);
    expect(verdict).toMatchObject({ outcome: "repeated", kept: [{ state: "answered", key }] });
    expect(await countTagged(store, request.tag)).toBe(0);
    expect(await other.there(subject())).toEqual(nothing);
  });
}

function flushing(subject: Subject): void {
  async function opened() {
    const { processorStore } = subject();
    const processor = freshName();
    const topics = [{ name: topic, partitions: 1 }];
    await processorStore.open({ processor, state: undefined, topics });
    const owned = at(await processorStore.claim(processor, places(0)), 0);
    const advances = [advance(owned, laneAt(1))];
    return { processor, advances, states: [], deadLetters: [] };
  }

  test("comes with a processor's flush", async () => {
    const flush = await opened();
    const requests = Array.from({ length: 3 }, () => everything());
    const appends = requests.map(({ alongside }) => requestWith(alongside));
    const result = await subject().processorStore.flush({ ...flush, appends });
    expect(result).toMatchObject({ outcome: "committed" });
    for (const { there } of requests) expect(await there(subject())).toEqual(all);
  });

  test("of a flush with a conflict nothing is written", async () => {
    const { store, processorStore, effectLedger } = subject();
    const flush = await opened();
    const tag = unique("registration:r");
    await store.append(firstOf(tag), command);
    const settled = effect();
    await appendedWith(store, { effects: [settled] });
    const { alongside, there } = everything();
    const appends = [
      requestWith({ ...alongside, settled: [{ key: settled.key, answer: 1 }] }),
      firstOf(tag),
    ];
    const result = await processorStore.flush({ ...flush, appends });
    expect(result).toMatchObject({ outcome: "conflict" });
    expect(await there(subject())).toEqual(nothing);
    expect(await effectLedger.find(settled.key)).toMatchObject({ state: "requested" });
    const again = await processorStore.flush({ ...flush, appends: appends.slice(0, 1) });
    expect(again).toMatchObject({ outcome: "committed" });
    expect(await effectLedger.find(settled.key)).toMatchObject({ state: "done" });
  });

  test("a used key is a conflict of the flush", async () => {
    const { store, processorStore } = subject();
    const used = everything();
    await appendedWith(store, used.alongside);
    const [flush, other] = [await opened(), everything()];
    const appends = [
      requestWith(other.alongside),
      requestWith({ ...everything().alongside, once: [once(used.key)] }),
    ];
    const result = await processorStore.flush({ ...flush, appends });
    expect(result.outcome).toBe("conflict");
    expect(at(result.verdicts, 1)).toMatchObject({ outcome: "repeated" });
    expect(await other.there(subject())).toEqual(nothing);
  });
}
