import { describe, expect, it } from "vitest";

import {
  recordedTold,
  type Telling,
  type Told,
  toldOf,
  toldOfResult,
  untilRecorded,
} from "../../api/commands/told.ts";
import { fact } from "../../engine/decision/definition.ts";
import type { CommandDecision } from "../../engine/decision/outcome.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import { decodePositionToken } from "../../engine/position-token.ts";
import { globalPosition, sequence } from "../../engine/position.ts";
import { RegistrationCompleted } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";

const of = { topic: moduleEvents, key: "MA101" };

const completed = (moduleCode: string) =>
  fact(moduleEvents, RegistrationCompleted, { registrationId: "r", moduleCode, studentId: "ada" });

const appended = (at: number) => ({
  position: globalPosition(at),
  sequence: sequence(at * 10),
  recordedAtMs: Date.UTC(2026, 0, 1, 0, 0, at),
});

const tell = <Body>(telling: Omit<Telling<Body>, "of" | "status">) => ({
  url: "/registrations",
  incarnation: "life-1",
  tell: (): Telling<Body> => ({ status: 201, of, ...telling }),
});

const accepted = (...codes: string[]): CommandDecision => ({
  outcome: "accepted",
  answer: undefined,
  facts: codes.map(completed),
});

/** As a store gives it back. */
const kept = (told: Told): Told => JSON.parse(JSON.stringify(told)) as Told;

describe("what a client is told", () => {
  it("is the same of a decision that was kept as of its result, with time and position", () => {
    const teller = tell({
      body: { registeredAt: untilRecorded, note: "ü€" },
      recordedAt: "registeredAt",
    });
    const facts = ["MA101", "CH101", "MA101"].map(completed);
    const recorded = facts.map((one, index) => ({ fact: one, at: appended(index + 1) }));
    const result = { outcome: "accepted", answer: undefined, recorded, recordedAtMs: 0 } as const;
    const first = toldOfResult(result, teller);
    const decided = toldOf({ outcome: "accepted", answer: undefined, facts }, teller);
    expect(kept(decided)).toEqual(decided);
    const events = recorded.map(({ at }) => at);
    expect(recordedTold(kept(decided), events)).toEqual(first);
    expect(first.body).toBe('{"registeredAt":"2026-01-01T00:00:01.000Z","note":"ü€"}');
    const { incarnation, lanes } = decodePositionToken(first.headers["refold-position"] ?? "");
    expect(incarnation).toBe("life-1");
    const ends = { MA101: 30n, CH101: 20n };
    const expected = Object.entries(ends).map(([code, last]) => ({
      topic: "module-events",
      partition: partitionOf(code, moduleEvents.partitions),
      sequence: last,
    }));
    expect(lanes).toEqual(expected.sort((a, b) => a.partition - b.partition));
  });

  it("is complete before anything is recorded where it says nothing of it", () => {
    const refusal = { code: "module-full", detail: "All 0 seats of MA101 are taken or promised." };
    const teller = tell({ body: { so: "already" } });
    for (const told of [
      toldOf({ outcome: "refused", refusal }, teller),
      toldOf(accepted(), teller),
    ]) {
      expect(kept(told)).toEqual(told);
      expect(recordedTold(told, [])).toEqual(told);
    }
  });

  it("has a date in a body as the text that goes out, the first time and again", () => {
    const decided = toldOf(accepted("MA101"), tell({ body: { at: new Date(0) } }));
    expect(decided.body).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
    expect(recordedTold(kept(decided), [appended(1)]).body).toBe(decided.body);
  });

  it("can't be made of a body that JSON can't hold, nor tell a time of what wrote nothing", () => {
    expect(() => toldOf(accepted("MA101"), tell({ body: { seats: 2n } }))).toThrow(/BigInt/);
    const timed = tell({ body: { at: untilRecorded }, recordedAt: "at" });
    expect(() => toldOf(accepted(), timed)).toThrow(/wrote nothing/);
  });
});
