import { describe, expect, it } from "vitest";

import { MemoryReadModelReader } from "../../engine/memory/read-model-reader.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import type { ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { withdrawModule } from "../../processors/catalogue/index.ts";
import { completeRegistration } from "../../processors/seats/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import {
  lineOfModule,
  placeInLine,
  waitingLists,
  type WaitingListRow,
} from "../../projections/waiting-lists/index.ts";
import { placeKey, placeOf } from "../../projections/waiting-lists/place-key.ts";
import { flushOf } from "../conformance/read-model-subject.ts";
import { Line, minuteMs } from "./line.ts";

/** What serves a history's rows of the projection of lines. */
async function readerOf({ history }: Line): Promise<ReadModelReader> {
  const store = new MemoryReadModelStore();
  const generation = await store.open(readModelOf(waitingLists));
  const rows = [...history.rowsOf(waitingLists)] as [string, WaitingListRow][];
  await store.flush(
    flushOf(generation, { rows: rows.map(([key, row]) => ({ key, partition: 0, row })) }),
  );
  return new MemoryReadModelReader({ store });
}

const students = ["ada", "eve", "bob", "kim", "zoe"];

/** A line behind one seat, in which the first has an offer and one has left the middle. */
function lineOfFive(): Line {
  const line = new Line();
  for (const student of students) line.register(student);
  line.withdraw("ada");
  line.quiet();
  line.withdraw("kim");
  return line;
}

describe("waiting-lists", () => {
  it("pages a line in its order, with places that count on from page to page", async () => {
    const line = lineOfFive();
    line.register("ada");
    const reader = await readerOf(line);
    const first = await lineOfModule(reader, "MA101", { limit: 2, cursor: undefined });
    expect(first.result.places).toMatchObject([
      { studentId: "eve", state: "offered", place: 0 },
      { studentId: "bob", state: "waiting", place: 1, offerExpiresAt: null },
    ]);
    const next = await lineOfModule(reader, "MA101", { limit: 5, cursor: first.result.next });
    expect(next.result.places).toMatchObject([
      { studentId: "zoe", place: 2 },
      { studentId: "ada", place: 3 },
    ]);
    expect(next.result.next).toBeUndefined();
  });

  it("tells one student's place, and of who isn't in line nothing", async () => {
    const reader = await readerOf(lineOfFive());
    const placeOfOne = async (studentId: string) =>
      (await placeInLine(reader, "MA101", studentId)).result?.place;
    expect(await placeOfOne("eve")).toBe(0);
    expect(await placeOfOne("bob")).toBe(1);
    expect(await placeOfOne("zoe")).toBe(2);
    expect(await placeOfOne("kim")).toBeUndefined();
    expect((await placeInLine(reader, "PH1", "bob")).result).toBeUndefined();
  });

  it("has no row of who took a seat, let an offer pass, or stood in line for a withdrawn module", () => {
    const line = lineOfFive();
    const inLine = () =>
      ([...line.history.rowsOf(waitingLists).values()] as WaitingListRow[]).map(
        ({ studentId, state }) => `${studentId} ${state}`,
      );
    expect(inLine()).toEqual(["eve offered", "bob waiting", "zoe waiting"]);
    line.register("eve");
    expect(inLine()).toEqual(["bob waiting", "zoe waiting"]);
    line.withdraw("eve");
    line.quiet();
    line.after(15 * minuteMs);
    expect(inLine()).toEqual(["zoe offered"]);
    line.history.must(withdrawModule({ moduleCode: "MA101" }));
    expect(inLine()).toEqual([]);
  });

  it.each([
    ["A", "B"],
    ["A/B", "C"],
    ["A", "B/C"],
    ["~1", "/"],
    ["A~", "1B"],
    ["~0/~1", "~01"],
    ["ÄÖ-9", ""],
  ])("finds module %s and student %s again in their key", (moduleCode, studentId) => {
    expect(placeOf(placeKey(moduleCode, studentId))).toEqual({ moduleCode, studentId });
    expect(placeKey(moduleCode, studentId).split("/")).toHaveLength(2);
  });

  it.each(["", "no slash", "~", "a/b/c", "~2/~"])("takes %o for a place that nobody has", (key) => {
    expect(waitingLists.history?.(key)).toHaveLength(2);
  });
});

describe("seat-availability", () => {
  it("counts an offered seat as held, until it is taken, left or passed on", () => {
    const line = new Line();
    const seats = () => line.history.rowsOf(seatAvailability).get("MA101");
    for (const student of students) line.register(student);
    expect(seats()).toMatchObject({ held: 1 });
    line.withdraw("ada");
    expect(seats()).toMatchObject({ held: 0 });
    line.quiet();
    expect(seats()).toMatchObject({ held: 1 });
    const { registrationId } = line.register("eve");
    line.history.must(completeRegistration({ registrationId }));
    expect(seats()).toMatchObject({ held: 0, confirmed: 1 });
  });
});

describe("registrations", () => {
  it("follows one through the line to its seat, with one id and the times of both", () => {
    const line = new Line();
    line.register("ada");
    const joinedAt = line.history.nowMs;
    const { registrationId } = line.register("eve");
    const row = () => line.history.rowsOf(registrations).get(registrationId);
    expect(row()).toMatchObject({ status: "waiting", feeCents: null, registeredAt: joinedAt });
    line.history.nowMs += minuteMs;
    line.withdraw("ada");
    line.quiet();
    const offerExpiresAt = line.history.nowMs + 15 * minuteMs;
    expect(row()).toMatchObject({ status: "offered", offerExpiresAt });
    line.history.nowMs += minuteMs;
    line.register("eve");
    expect(row()).toMatchObject({
      status: "held",
      feeCents: 500,
      registeredAt: joinedAt,
      waitingSince: joinedAt,
      offerExpiresAt,
      holdExpiresAt: line.history.nowMs + 15 * minuteMs,
      cancelledAt: null,
    });
  });

  it("tells who left the line from whose offer passed, and when", () => {
    const line = lineOfFive();
    const row = (student: string) => line.history.rowsOf(registrations).get(line.idOf(student));
    expect(row("kim")).toMatchObject({ status: "left", cancelledAt: line.history.nowMs });
    line.after(15 * minuteMs);
    expect(row("eve")).toMatchObject({ status: "expired", cancelledAt: line.history.nowMs });
    expect(row("eve")).toMatchObject({ reason: null, completedAt: null });
  });
});
