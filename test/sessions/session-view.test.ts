import { expect, onTestFinished, test } from "vitest";

import { defaultAccessLimits } from "../../api/access/contract.ts";
import { LogSessionView } from "../../api/access/session-view.ts";
import { PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import { header } from "../../engine/envelope.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { LaneEnd } from "../../engine/ports/event-store.ts";
import { sequence } from "../../engine/position.ts";
import { SessionCreated, SessionExpired, SessionRevoked } from "../../schemas/index.ts";
import { sessionEvents } from "../../schemas/topics.ts";

const { name: topic } = sessionEvents;
const minuteMs = 60_000;

/** A store of one lane, and a log that has what the test publishes of it. */
class Stage {
  readonly clock = new ManualClock(Date.UTC(2026, 5, 1));
  readonly log = new MemoryRecordLog();
  readonly limits = { ...defaultAccessLimits, sessionMs: 15 * minuteMs };
  readonly metrics = new PrometheusMetrics({ processMetrics: "leave out" });
  readonly reports: string[] = [];
  incarnation = "life-1";
  /** Set: neither store nor log answer. */
  failure: Error | undefined;
  readonly #events: { type: string; sessionId: string; atMs: number }[] = [];
  #published = 0;

  static async open(): Promise<Stage> {
    const stage = new Stage();
    await stage.log.ensureTopic({ name: topic, partitions: 1 });
    onTestFinished(() => stage.log[Symbol.asyncDispose]());
    return stage;
  }

  record(type: { readonly fullName: string }, sessionId: string): void {
    this.#events.push({ type: type.fullName, sessionId, atMs: this.clock.nowMs() });
  }

  /** Of the view, in seconds, as the metric has it. */
  async toldAge(): Promise<number> {
    return Number(/^\S+view_age_seconds (.+)$/m.exec(await this.metrics.text())?.[1]);
  }

  /** What capture does. */
  async publish(): Promise<void> {
    const records = this.#events.slice(this.#published).map((event, at) => {
      const headers = [
        [header.sequence, String(this.#published + at + 1)],
        [header.incarnation, this.incarnation],
        [header.id, `event-${this.#published + at + 1}`],
        [header.type, event.type],
      ].map(([name = "", text = ""]) => ({ name, value: Buffer.from(text) }));
      const key = Buffer.from(event.sessionId);
      return { timestampMs: event.atMs, key, value: Buffer.from(""), headers };
    });
    this.#published = this.#events.length;
    await this.log.append([{ topic, partition: 0, records }]);
  }

  view(): LogSessionView {
    const { clock, limits, log } = this;
    const failing = <Answer>(answer: () => Promise<Answer>): Promise<Answer> =>
      this.failure === undefined ? answer() : Promise.reject(this.failure);
    const view = new LogSessionView({
      clock,
      limits,
      metrics: this.metrics,
      log: {
        read: (options) => log.read(options),
        offsetsAt: (...asked) => failing(() => log.offsetsAt(...asked)),
      },
      eventStore: {
        lanes: () => failing(async () => this.#lanes()),
        incarnation: async () => this.incarnation,
        nowMs: async () => clock.nowMs(),
      },
      report: (message) => void this.reports.push(message),
    });
    view.start();
    onTestFinished(() => view[Symbol.asyncDispose]());
    return view;
  }

  #lanes(): LaneEnd[] {
    const last = this.#events.at(-1);
    if (last === undefined) return [];
    const lastSequence = sequence(this.#events.length);
    const lastEventId = `event-${this.#events.length}`;
    return [{ topic, partition: 0, lastSequence, lastEventId, lastRecordedAtMs: last.atMs }];
  }
}

test("knows at its start which sessions have ended that could still be open", async () => {
  const stage = await Stage.open();
  stage.record(SessionRevoked, "long-gone");
  stage.clock.advance(18 * minuteMs);
  stage.record(SessionCreated, "s-1");
  stage.record(SessionRevoked, "s-1");
  stage.record(SessionExpired, "s-2");
  await stage.publish();
  const view = stage.view();
  await view.current;
  expect(view.ageMs).toBe(0);
  expect([view.endOf("s-1"), view.endOf("s-2")]).toEqual(["revoked", "expired"]);
  expect([view.endOf("s-3"), view.endOf("long-gone")]).toEqual([undefined, undefined]);
});

test("is current where all that the store has lies before its beginning", async () => {
  const stage = await Stage.open();
  stage.record(SessionCreated, "s-1");
  await stage.publish();
  stage.clock.advance(60 * minuteMs);
  const view = stage.view();
  await view.current;
  expect(view.ageMs).toBe(0);
});

test("ages while the capture stands still, and is current when it has caught up", async () => {
  const stage = await Stage.open();
  const view = stage.view();
  await view.current;
  stage.record(SessionRevoked, "s-1");
  for (let turn = 0; turn < 8; turn += 1) {
    await expect.poll(() => stage.clock.sleeping).toBeGreaterThan(0);
    stage.clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Read to its end, the log has nothing to say: only the store tells that something is missing.
  expect(view.ageMs).toBeGreaterThan(1_000);
  expect(view.endOf("s-1")).toBeUndefined();
  expect(await stage.toldAge()).toBeGreaterThan(1);
  await stage.publish();
  await expect.poll(() => view.endOf("s-1")).toBe("revoked");
  await expect.poll(() => view.ageMs).toBeLessThanOrEqual(250);
});

test("was never current while the store has never answered, and says so once", async () => {
  const stage = await Stage.open();
  stage.failure = new Error("nobody there");
  const view = stage.view();
  for (let turn = 0; turn < 4; turn += 1) {
    await expect.poll(() => stage.clock.sleeping).toBeGreaterThan(0);
    stage.clock.advance(2_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(view.ageMs).toBeUndefined();
  expect(stage.reports.filter((text) => text.includes("event store"))).toHaveLength(1);
  stage.failure = undefined;
  await expect
    .poll(() => {
      stage.clock.advance(2_000);
      return view.ageMs;
    })
    .toBeDefined();
});

test("is not current by another life's records of the same sequences", async () => {
  const stage = await Stage.open();
  stage.record(SessionCreated, "s-1");
  stage.incarnation = "life-0";
  await stage.publish();
  stage.incarnation = "life-1";
  stage.record(SessionRevoked, "s-1");
  const view = stage.view();
  await expect.poll(() => stage.clock.sleeping).toBeGreaterThan(0);
  expect(view.ageMs).toBeUndefined();
  await stage.publish();
  await view.current;
  expect(view.endOf("s-1")).toBe("revoked");
});

test("knows at once what this process has ended, and tells who waits for it, once", async () => {
  const stage = await Stage.open();
  const view = stage.view();
  await view.current;
  const told: string[] = [];
  view.watch("s-1", (how) => void told.push(`first ${how}`));
  const stop = view.watch("s-1", (how) => void told.push(`second ${how}`));
  view.watch("s-2", (how) => void told.push(`other ${how}`));
  stop();
  view.ended("s-1", "revoked");
  expect(view.endOf("s-1")).toBe("revoked");
  stage.record(SessionRevoked, "s-1");
  await stage.publish();
  await expect.poll(() => view.ageMs).toBe(0);
  expect(told).toEqual(["first revoked"]);
});

test("forgets sessions when their time is over, and is stale where they are too many", async () => {
  const stage = await Stage.open();
  Object.assign(stage.limits, { endedSessionsMax: 2 });
  const view = stage.view();
  await view.current;
  view.ended("s-1", "revoked");
  view.ended("s-2", "revoked");
  expect(view.ageMs).toBe(0);
  view.ended("s-3", "revoked");
  // Of the third it can't be said that it is open.
  expect(view.ageMs).toBeUndefined();
  stage.clock.advance(17 * minuteMs);
  view.ended("s-4", "revoked");
  expect([view.endOf("s-1"), view.endOf("s-4")]).toEqual([undefined, "revoked"]);
  await expect.poll(() => view.ageMs).toBeDefined();
});
