import { describe, expect, it } from "vitest";

import type { Decision } from "../../engine/decision/definition.ts";
import { offerModule, type OfferModule, withdrawModule } from "../../processors/catalogue/index.ts";
import {
  completeRegistration,
  register,
  registerWith,
  withdraw,
} from "../../processors/seats/index.ts";
import { ModuleHistory, namesOf } from "./module-history.ts";

const free: OfferModule = {
  moduleCode: "MA101",
  title: "Algebra",
  capacity: 2,
  feeCents: 0,
  opensAt: null,
  closesAt: null,
};

const minuteMs = 60_000;

function offering(changes: Partial<OfferModule> = {}): ModuleHistory {
  const history = new ModuleHistory();
  history.must(offerModule({ ...free, ...changes }));
  return history;
}

const ada = { moduleCode: "MA101", studentId: "ada" };

const codeOf = (decision: Decision): string =>
  decision.kind === "refused" ? decision.refusal.code : "accepted";

describe("register", () => {
  it("holds and completes a free registration in one decision", () => {
    const history = offering();
    const decision = history.do(register(ada));
    expect(decision).toMatchObject({
      kind: "accepted",
      answer: { registrationId: "id-1", status: "completed", ...ada },
    });
    expect(namesOf(history.facts)).toEqual([
      "ModuleOffered",
      "ModuleRegistered",
      "RegistrationCompleted",
    ]);
  });

  it("only holds a seat that has a fee", () => {
    const history = offering({ feeCents: 12_000 });
    expect(history.must(register(ada))).toMatchObject({ status: "held" });
    const holdExpiresAt = history.nowMs + 15 * minuteMs;
    expect(history.facts.at(-1)?.event).toMatchObject({ feeCents: 12_000, holdExpiresAt });
    expect(namesOf(history.facts)).not.toContain("RegistrationCompleted");
  });

  it("refuses a module that was never offered, and one that was withdrawn", () => {
    const history = offering();
    expect(codeOf(history.do(register({ ...ada, moduleCode: "XX" })))).toBe("module-unknown");
    history.must(withdrawModule({ moduleCode: "MA101" }));
    expect(codeOf(history.do(register(ada)))).toBe("module-unknown");
  });

  it("refuses outside the window, whose first moment is open and whose last is closed", () => {
    const history = new ModuleHistory();
    const opensAt = history.nowMs + minuteMs;
    const closesAt = opensAt + minuteMs;
    history.must(offerModule({ ...free, opensAt, closesAt }));
    expect(codeOf(history.do(register(ada)))).toBe("registration-not-open");
    history.nowMs = opensAt;
    expect(codeOf(history.do(register(ada)))).toBe("accepted");
    history.nowMs = closesAt;
    const eve = { ...ada, studentId: "eve" };
    expect(codeOf(history.do(register(eve)))).toBe("registration-closed");
  });

  it("refuses a second seat in the module, and gives one again after a cancellation", () => {
    const history = offering();
    const { registrationId } = history.must(register(ada));
    expect(codeOf(history.do(register(ada)))).toBe("already-registered");
    history.must(withdraw({ registrationId }));
    expect(history.must(register(ada)).registrationId).not.toBe(registrationId);
  });

  it("refuses a sixth active module by default, and as many as the option says", () => {
    const history = new ModuleHistory();
    const codes = ["A", "B", "C", "D", "E", "F"];
    for (const moduleCode of codes) history.must(offerModule({ ...free, moduleCode }));
    for (const moduleCode of codes.slice(0, 5)) history.must(register({ ...ada, moduleCode }));
    const sixth = { ...ada, moduleCode: "F" };
    expect(codeOf(history.do(register(sixth)))).toBe("student-module-limit");
    const six = registerWith({ studentModuleLimit: 6 });
    expect(codeOf(history.do(six(sixth)))).toBe("accepted");
  });

  it("knows no limit where the option says unlimited", () => {
    const history = new ModuleHistory();
    const unlimited = registerWith({ studentModuleLimit: "unlimited" });
    for (let module = 0; module < 12; module += 1) {
      const moduleCode = `M${module}`;
      history.must(offerModule({ ...free, moduleCode }));
      history.must(unlimited({ ...ada, moduleCode }));
    }
  });

  it("refuses when all seats are taken, held ones too", () => {
    const history = offering({ capacity: 1, feeCents: 500 });
    history.must(register(ada));
    expect(codeOf(history.do(register({ ...ada, studentId: "eve" })))).toBe("module-full");
  });

  it("throws nobody out when the capacity is lowered, and gives no seat while none is free", () => {
    const history = offering({ capacity: 3 });
    const seated = ["ada", "eve", "bob"].map(
      (studentId) => history.must(register({ ...ada, studentId })).registrationId,
    );
    history.must(offerModule({ ...free, capacity: 1 }));
    const kim = register({ ...ada, studentId: "kim" });
    for (const registrationId of seated.slice(0, 2)) {
      history.must(withdraw({ registrationId }));
      expect(codeOf(history.do(kim))).toBe("module-full");
    }
    history.must(withdraw({ registrationId: seated[2] ?? "" }));
    expect(codeOf(history.do(kim))).toBe("accepted");
  });

  it("names the first rule that says no, in the order of the rules", () => {
    const history = offering({ capacity: 1 });
    history.must(register(ada));
    // Both `already-registered` and `module-full` are true.
    expect(codeOf(history.do(register(ada)))).toBe("already-registered");
    history.must(offerModule({ ...free, capacity: 1, closesAt: history.nowMs }));
    expect(codeOf(history.do(register(ada)))).toBe("registration-closed");
  });
});

describe("withdraw", () => {
  it("frees a held seat as held and a completed one as confirmed", () => {
    const paid = offering({ feeCents: 100 });
    const held = paid.must(register(ada));
    paid.must(withdraw(held));
    expect(paid.facts.at(-1)?.event).toMatchObject({ reason: "WITHDRAWN", seat: "HELD" });

    const history = offering();
    history.must(withdraw(history.must(register(ada))));
    expect(history.facts.at(-1)?.event).toMatchObject({ seat: "CONFIRMED" });
  });

  it("gives the same answer twice and records nothing the second time", () => {
    const history = offering();
    const { registrationId } = history.must(register(ada));
    const once = history.must(withdraw({ registrationId }));
    const recorded = history.facts.length;
    expect(history.must(withdraw({ registrationId }))).toEqual(once);
    expect(history.facts).toHaveLength(recorded);
  });

  it("refuses an id that no registration has", () => {
    const decision = new ModuleHistory().do(withdraw({ registrationId: "none" }));
    expect(codeOf(decision)).toBe("registration-unknown");
  });
});

describe("completeRegistration", () => {
  it("confirms a held seat once", () => {
    const history = offering({ feeCents: 100 });
    const { registrationId } = history.must(register(ada));
    history.must(completeRegistration({ registrationId }));
    history.must(completeRegistration({ registrationId }));
    expect(namesOf(history.facts).filter((name) => name === "RegistrationCompleted")).toHaveLength(
      1,
    );
  });

  it("refuses one that has ended, and one that never was", () => {
    const history = offering({ feeCents: 100 });
    const { registrationId } = history.must(register(ada));
    history.must(withdraw({ registrationId }));
    expect(codeOf(history.do(completeRegistration({ registrationId })))).toBe(
      "registration-cancelled",
    );
    expect(codeOf(history.do(completeRegistration({ registrationId: "none" })))).toBe(
      "registration-unknown",
    );
  });
});
