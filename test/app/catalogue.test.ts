import { describe, expect, it } from "vitest";

import { offerModule, withdrawModule } from "../../processors/catalogue/index.ts";
import { register, withdraw } from "../../processors/seats/index.ts";
import { ModuleHistory, namesOf } from "./module-history.ts";

const row = {
  moduleCode: "MA101",
  title: "Algebra",
  capacity: 3,
  feeCents: 0,
  opensAt: null,
  closesAt: null,
};

describe("a module's row", () => {
  it("offers the module once, however often it is read", () => {
    const history = new ModuleHistory();
    for (let reading = 0; reading < 3; reading += 1) history.must(offerModule(row));
    expect(namesOf(history.facts)).toEqual(["ModuleOffered"]);
  });

  it("records what differs and nothing else", () => {
    const history = new ModuleHistory();
    history.must(offerModule(row));
    history.must(offerModule({ ...row, capacity: 5 }));
    history.must(offerModule({ ...row, capacity: 5, title: "Linear algebra" }));
    history.must(offerModule({ ...row, capacity: 9, title: "Linear algebra", feeCents: 10 }));
    expect(namesOf(history.facts)).toEqual([
      "ModuleOffered",
      "ModuleCapacityChanged",
      "ModuleDetailsChanged",
      "ModuleDetailsChanged",
      "ModuleCapacityChanged",
    ]);
  });

  it("offers again after it was deleted and comes back", () => {
    const history = new ModuleHistory();
    history.must(offerModule(row));
    history.must(withdrawModule({ moduleCode: "MA101" }));
    history.must(offerModule(row));
    expect(namesOf(history.facts)).toEqual(["ModuleOffered", "ModuleWithdrawn", "ModuleOffered"]);
  });
});

describe("a deleted row", () => {
  it("cancels the active registrations in the decision that withdraws the module", () => {
    const history = new ModuleHistory();
    history.must(offerModule(row));
    const [first] = ["ada", "eve"].map((studentId) =>
      history.must(register({ moduleCode: "MA101", studentId })),
    );
    history.must(withdraw({ registrationId: first?.registrationId ?? "" }));
    history.must(offerModule({ ...row, feeCents: 100 }));
    history.must(register({ moduleCode: "MA101", studentId: "bob" }));

    const decision = history.do(withdrawModule({ moduleCode: "MA101" }));
    expect(decision.kind === "accepted" && decision.facts.map(({ event }) => event)).toEqual([
      {
        moduleCode: "MA101",
        registrationId: "id-2",
        studentId: "eve",
        seat: "CONFIRMED",
        reason: "MODULE_WITHDRAWN",
      },
      {
        moduleCode: "MA101",
        registrationId: "id-3",
        studentId: "bob",
        seat: "HELD",
        reason: "MODULE_WITHDRAWN",
      },
      { moduleCode: "MA101" },
    ]);
  });

  it("changes nothing when the module isn't on offer", () => {
    const history = new ModuleHistory();
    history.must(withdrawModule({ moduleCode: "MA101" }));
    history.must(offerModule(row));
    history.must(withdrawModule({ moduleCode: "MA101" }));
    history.must(withdrawModule({ moduleCode: "MA101" }));
    expect(namesOf(history.facts)).toEqual(["ModuleOffered", "ModuleWithdrawn"]);
  });

  it("leaves a student free to register when the module comes back", () => {
    const history = new ModuleHistory();
    history.must(offerModule(row));
    history.must(register({ moduleCode: "MA101", studentId: "ada" }));
    history.must(withdrawModule({ moduleCode: "MA101" }));
    history.must(offerModule(row));
    expect(history.do(register({ moduleCode: "MA101", studentId: "ada" })).kind).toBe("accepted");
  });
});
