import { describe, expect, it } from "vitest";

import { offerModule, withdrawModule } from "../../processors/catalogue/index.ts";
import {
  cancelRegistration,
  completeRegistration,
  expireOffer,
  offerSeats,
  register,
  registerWith,
  seatOffer,
  withdraw,
} from "../../processors/seats/index.ts";
import { firstInLine, waitingLine } from "../../processors/seats/waiting-line.ts";
import { waitingList, waitingListWith } from "../../processors/waiting-list/index.ts";
import { Line, minuteMs } from "./line.ts";
import { namesOf } from "./module-history.ts";

const refusalOf = (decision: ReturnType<Line["history"]["do"]>): string =>
  decision.kind === "refused" ? decision.refusal.code : "accepted";

describe("a full module", () => {
  it("refuses who doesn't want to wait, and gives the others a place and an id that they keep", () => {
    const line = new Line();
    line.register("ada");
    expect(line.try("eve")).toBe("module-full");
    const eve = line.register("eve");
    expect(eve).toMatchObject({ status: "waiting", holdExpiresAt: null });
    const recorded = line.history.facts.length;
    expect(line.register("eve")).toEqual(eve);
    expect(line.history.facts).toHaveLength(recorded);
  });

  it("offers a freed seat to the first in line, and to nobody who comes in between", () => {
    const line = new Line();
    line.register("ada");
    const eve = line.register("eve");
    line.register("bob");
    line.withdraw("ada");
    expect(line.try("kim")).toBe("module-full");
    line.quiet();
    expect(line.offered).toEqual(["eve"]);
    const accepted = line.register("eve");
    expect(accepted).toMatchObject({ status: "held", registrationId: eve.registrationId });
    expect(accepted.holdExpiresAt).toBe(line.history.nowMs + 15 * minuteMs);
    expect(line.history.facts.at(-1)?.event).toMatchObject({ acceptedOffer: true, feeCents: 500 });
    expect(line.history.deadlines).toEqual(new Map());
  });

  it("completes a free seat with the acceptance of its offer", () => {
    const line = new Line({ feeCents: 0 });
    for (const student of ["ada", "eve"]) line.register(student);
    line.withdraw("ada");
    line.quiet();
    expect(line.register("eve")).toMatchObject({ status: "completed", holdExpiresAt: null });
    expect(namesOf(line.history.facts).slice(-2)).toEqual([
      "ModuleRegistered",
      "RegistrationCompleted",
    ]);
  });

  it("passes an offer that nobody takes to the next, at its time and not before", () => {
    const line = new Line();
    for (const student of ["ada", "eve", "bob"]) line.register(student);
    line.withdraw("ada");
    line.quiet();
    line.after(15 * minuteMs - 1);
    expect(line.offered).toEqual(["eve"]);
    const early = line.history.must(expireOffer({ registrationId: line.idOf("eve") }));
    expect(early).toMatchObject({ expired: false });
    line.after(1);
    expect(line.offered).toEqual(["eve", "bob"]);
    expect(line.history.must(expireOffer({ registrationId: line.idOf("eve") }))).toMatchObject({
      expired: true,
    });
    // Whoever comes back stands at the end.
    expect(line.register("eve")).toMatchObject({ status: "waiting" });
    line.after(15 * minuteMs);
    expect(line.offered).toEqual(["eve", "bob", "eve"]);
  });

  it("refuses an offer that is over, though nobody has recorded its end yet", () => {
    const line = new Line();
    for (const student of ["ada", "eve"]) line.register(student);
    line.withdraw("ada");
    line.quiet();
    line.history.nowMs += 15 * minuteMs;
    expect(line.try("eve")).toBe("offer-expired");
  });

  it("offers as many seats as a raised capacity frees, in order, and none after a lowered one", () => {
    const line = new Line();
    for (const student of ["ada", "eve", "bob", "kim"]) line.register(student);
    line.row({ capacity: 3 });
    line.quiet();
    expect(line.offered).toEqual(["eve", "bob"]);
    line.row({ capacity: 0 });
    line.quiet();
    expect(line.register("eve")).toMatchObject({ status: "held" });
    line.after(15 * minuteMs);
    expect(line.offered).toEqual(["eve", "bob"]);
  });

  it("offers to who is left when the ones before have gone", () => {
    const line = new Line();
    for (const student of ["ada", "eve", "bob", "kim", "zoe"]) line.register(student);
    for (const gone of ["kim", "eve"]) {
      expect(line.withdraw(gone)).toMatchObject({ status: "left" });
    }
    line.row({ capacity: 2 });
    line.withdraw("ada");
    line.quiet();
    expect(line.offered).toEqual(["bob", "zoe"]);
  });

  it("frees the seat of who leaves with an offer, and forgets its deadline", () => {
    const line = new Line();
    for (const student of ["ada", "eve", "bob"]) line.register(student);
    line.withdraw("ada");
    line.quiet();
    const once = line.withdraw("eve");
    expect(line.history.facts.at(-1)?.event).toMatchObject({ offered: true });
    expect(line.withdraw("eve")).toEqual(once);
    expect(line.history.deadlines.size).toBe(0);
    line.quiet();
    expect(line.offered).toEqual(["eve", "bob"]);
  });
});

describe("the window of registration", () => {
  it("ends offers with it, and offers nothing once it is closed", () => {
    const line = new Line();
    const closesAt = line.history.nowMs + 5 * minuteMs;
    line.row({ closesAt });
    for (const student of ["ada", "eve", "bob"]) line.register(student);
    line.withdraw("ada");
    line.quiet();
    expect([...line.history.deadlines.values()]).toMatchObject([{ atMs: closesAt }]);
    line.history.nowMs = closesAt;
    expect(line.try("eve")).toBe("registration-closed");
    line.quiet();
    expect(line.offered).toEqual(["eve"]);
    expect(line.withdraw("eve")).toMatchObject({ status: "expired" });
    // It is opened anew: the line is served on.
    line.row({ closesAt: null });
    line.quiet();
    expect(line.offered).toEqual(["eve", "bob"]);
  });

  it("waits with offers until it opens", () => {
    const line = new Line();
    line.register("ada");
    line.register("eve");
    const opensAt = line.history.nowMs + minuteMs;
    line.row({ opensAt });
    line.withdraw("ada");
    line.quiet();
    expect(line.offered).toEqual([]);
    line.after(minuteMs);
    expect(line.offered).toEqual(["eve"]);
  });
});

describe("a student in line", () => {
  it("is held to the limit when the offer is taken, and not by places in other lines", () => {
    const two = registerWith({ studentModuleLimit: 1 });
    const line = new Line();
    line.register("ada");
    line.register("eve");
    for (const moduleCode of ["B", "C"]) {
      const row = { title: "T", capacity: 1, feeCents: 0, opensAt: null, closesAt: null };
      line.history.must(offerModule({ ...row, moduleCode }));
    }
    line.history.must(two({ moduleCode: "B", studentId: "eve" }));
    line.withdraw("ada");
    line.quiet();
    const take = two({ moduleCode: "MA101", studentId: "eve" });
    expect(refusalOf(line.history.do(take))).toBe("student-module-limit");
  });

  it("can't be enrolled in the module beside it, and an enrolment never waits", () => {
    const line = new Line();
    line.register("ada");
    line.register("eve");
    const enrolled = { moduleCode: "MA101", enrolmentId: "e1", waitlist: true };
    const eve = register({ ...enrolled, studentId: "eve", registrationId: "r1" });
    expect(refusalOf(line.history.do(eve))).toBe("already-in-line");
    const bob = register({ ...enrolled, studentId: "bob", registrationId: "r2" });
    expect(refusalOf(line.history.do(bob))).toBe("module-full");
  });

  it("has no seat that could be completed or cancelled", () => {
    const line = new Line();
    line.register("ada");
    const { registrationId } = line.register("eve");
    const completed = line.history.do(completeRegistration({ registrationId }));
    expect(refusalOf(completed)).toBe("registration-in-line");
    const call = cancelRegistration({ registrationId, reason: "PAYMENT_FAILED" });
    expect(refusalOf(line.history.do(call))).toBe("registration-in-line");
    line.history.must(withdraw({ registrationId }));
    expect(line.history.must(call)).toMatchObject({ status: "left", reason: null });
    const again = line.history.do(completeRegistration({ registrationId }));
    expect(refusalOf(again)).toBe("registration-cancelled");
  });
});

describe("a withdrawn module", () => {
  it("clears its line in the same decision, offers that run included", () => {
    const line = new Line();
    for (const student of ["ada", "eve", "bob"]) line.register(student);
    line.withdraw("ada");
    line.quiet();
    const before = line.history.facts.length;
    line.history.must(withdrawModule({ moduleCode: "MA101" }));
    expect(line.history.facts.slice(before).map(({ event }) => event)).toMatchObject([
      { studentId: "bob", offered: false },
      { studentId: "eve", offered: true },
      { moduleCode: "MA101" },
    ]);
    expect(line.history.deadlines.size).toBe(0);
    line.row({});
    line.after(60 * minuteMs);
    expect(line.offered).toEqual(["eve"]);
    expect(line.try("eve")).toBe("accepted");
  });
});

describe("an enrolment's registration", () => {
  it("keeps its given id and is held, free or not, until it is completed", () => {
    const line = new Line({ feeCents: 0 });
    const given = { enrolmentId: "e1", registrationId: "r1" };
    const held = line.history.must(register({ moduleCode: "MA101", studentId: "ada", ...given }));
    expect(held).toMatchObject({ registrationId: "r1", status: "held" });
    expect(held.holdExpiresAt).toBe(line.history.nowMs + 15 * minuteMs);
    expect(line.history.facts.at(-1)?.event).toMatchObject(given);
    line.history.must(completeRegistration({ registrationId: "r1" }));
    const reversed = { registrationId: "r1", reason: "ENROLMENT_REVERSED" } as const;
    expect(line.history.must(cancelRegistration(reversed))).toMatchObject({ status: "cancelled" });
    expect(line.history.facts.at(-1)?.event).toMatchObject({ seat: "CONFIRMED" });
  });
});

describe("cancelRegistration", () => {
  it("ends a held registration once, for the first reason that came", () => {
    const line = new Line();
    const { registrationId } = line.register("ada");
    const failed = { registrationId, reason: "PAYMENT_FAILED" } as const;
    const once = line.history.must(cancelRegistration(failed));
    expect(once).toMatchObject({ status: "cancelled", reason: "PAYMENT_FAILED" });
    const late = cancelRegistration({ registrationId, reason: "PAYMENT_TIMED_OUT" });
    expect(line.history.must(late)).toEqual(once);
    expect(line.history.must(withdraw({ registrationId }))).toEqual(once);
  });

  it("ends no completed registration for a payment's reason, and none that never was", () => {
    const line = new Line();
    const { registrationId } = line.register("ada");
    line.history.must(completeRegistration({ registrationId }));
    const failed = cancelRegistration({ registrationId, reason: "PAYMENT_FAILED" });
    expect(refusalOf(line.history.do(failed))).toBe("registration-completed");
    const none = cancelRegistration({ registrationId: "none", reason: "PAYMENT_FAILED" });
    expect(refusalOf(line.history.do(none))).toBe("registration-unknown");
  });
});

describe("the processor of waiting lists", () => {
  it("asks nothing of a module in whose line nobody waits", () => {
    const asked: string[] = [];
    const counted = Object.assign((input: { readonly moduleCode: string }) => {
      asked.push(input.moduleCode);
      return offerSeats(input);
    }, offerSeats);
    const processor = waitingListWith({ offerSeats: counted });
    const line = new Line();
    line.register("ada");
    line.withdraw("ada");
    line.row({ capacity: 0 });
    line.history.react(processor);
    expect(asked).toEqual([]);
    line.register("ada");
    line.row({ capacity: 1 });
    line.history.react(processor);
    expect(asked).toEqual(["MA101"]);
    line.row({ capacity: 2 });
    line.history.react(processor);
    expect(asked).toEqual(["MA101"]);
  });

  it("changes nothing when it reads all again", () => {
    const line = new Line();
    for (const student of ["ada", "eve", "bob"]) line.register(student);
    line.withdraw("ada");
    line.quiet();
    const recorded = line.history.facts.length;
    line.history.react({ ...waitingList, name: "from-zero" });
    line.history.must(offerSeats({ moduleCode: "MA101" }));
    expect(line.history.facts).toHaveLength(recorded);
  });

  it("sets the deadline of an offer under the registration, tagged with it", () => {
    expect(seatOffer.at("r1", 5)).toEqual({
      change: "set",
      name: "seat-offer",
      key: "r1",
      atMs: 5,
      tags: ["registration:r1"],
    });
  });
});

describe("the line's queue", () => {
  it("costs one node for each who joins or leaves, and keeps the order of joining", () => {
    const on = waitingLine.on as unknown as Record<
      string,
      (state: unknown, event: unknown) => never
    >;
    const people = Array.from({ length: 20_000 }, (_, index) => ({
      registrationId: `r${index}`,
      studentId: `s${index}`,
    }));
    let line = waitingLine.initial;
    for (const one of people) line = on["WaitlistJoined"]?.(line, one) as never;
    for (const { registrationId } of people.filter((_, index) => index % 3 === 1)) {
      line = on["WaitlistLeft"]?.(line, { registrationId, offered: false }) as never;
    }
    const rest = people.filter((_, index) => index % 3 !== 1);
    expect(firstInLine(line, 20_000)).toEqual(rest);
    for (const one of rest.slice(0, 13_000)) line = on["SeatOffered"]?.(line, one) as never;
    expect(firstInLine(line, 2)).toEqual(rest.slice(13_000, 13_002));
  });
});
