import { expect, it } from "vitest";

import { offerModule } from "../../processors/catalogue/index.ts";
import { register } from "../../processors/seats/index.ts";
import { realClock } from "../api/real-clock.ts";
import { row } from "../api/server.ts";
import { mustExecute, storeOfTest } from "./store-of-test.ts";

const origin = { correlationId: "test" };

it("gives one seat to one of 16 racers from 4 processes, and tells the others why", async () => {
  const { decider } = await storeOfTest();
  const processes = Array.from({ length: 4 }, () => decider(realClock));
  await mustExecute(decider(realClock), offerModule({ ...row, capacity: 1 }));
  const results = await Promise.all(
    processes.flatMap((process, index) =>
      Array.from({ length: 4 }, (_, racer) => {
        const studentId = `racer-${index}-${racer}`;
        return process.execute(register({ moduleCode: "MA101", studentId }), origin);
      }),
    ),
  );
  const outcomes = results.map((result) =>
    result.outcome === "refused" ? result.refusal.code : result.outcome,
  );
  expect(outcomes.filter((outcome) => outcome === "accepted")).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === "module-full")).toHaveLength(15);
});

it("gives a student one seat of a module and at most five modules, whatever runs at once", async () => {
  const { decider } = await storeOfTest();
  const processes = Array.from({ length: 3 }, () => decider(realClock));
  const codes = Array.from({ length: 8 }, (_, index) => `M${index}`);
  for (const moduleCode of codes) {
    await mustExecute(decider(realClock), offerModule({ ...row, moduleCode, capacity: 10 }));
  }
  const results = await Promise.all(
    codes.flatMap((moduleCode) =>
      processes.map((process) =>
        process.execute(register({ moduleCode, studentId: "ada" }), origin),
      ),
    ),
  );
  const accepted = results.flatMap((result) =>
    result.outcome === "accepted" ? [result.answer.moduleCode] : [],
  );
  expect(accepted).toHaveLength(5);
  expect(new Set(accepted).size).toBe(5);
});
