import { expect, it } from "vitest";

import type { Decider } from "../../engine/decision/decider.ts";
import { frameBytes } from "../../engine/ports/codec.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { offerSeats, register, withdraw } from "../../processors/seats/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { realClock } from "../api/real-clock.ts";
import { row } from "../api/server.ts";
import type { RecordedFact } from "./module-history.ts";
import { SeatOracle } from "./seat-oracle.ts";
import { mustExecute, storeOfTest, type StoreOfTest } from "./store-of-test.ts";

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

/** Asks until there is a seat, gives it back at once, and has it offered to the next in line. */
async function sitAndLeave(process: Decider, studentId: string): Promise<void> {
  for (let asked = 0; asked < 2_000; asked += 1) {
    const call = register({ moduleCode: "MA101", studentId, waitlist: true });
    const { answer } = await mustExecute(process, call);
    if (answer.status !== "waiting") {
      await mustExecute(process, withdraw(answer));
      await mustExecute(process, offerSeats({ moduleCode: "MA101" }));
      return;
    }
    await realClock.sleep(2);
  }
  throw new Error(`${studentId} was never offered a seat.`);
}

it("serves a line that 4 processes join, offer to and leave at once, each in its turn", async () => {
  const store = await storeOfTest();
  const processes = Array.from({ length: 4 }, () => store.decider(realClock));
  await mustExecute(store.decider(realClock), offerModule({ ...row, capacity: 3 }));
  await Promise.all(
    processes.flatMap((process, index) =>
      Array.from({ length: 10 }, (_, racer) => sitAndLeave(process, `racer-${index}-${racer}`)),
    ),
  );
  const oracle = new SeatOracle();
  const facts = await factsOf(store);
  for (const recorded of facts) oracle.apply(recorded);
  const count = (name: string) => facts.filter(({ type }) => type.name === name).length;
  expect(oracle.registrations).toHaveLength(40);
  expect(oracle.free("MA101")).toBe(3);
  expect(count("WaitlistJoined")).toBeGreaterThan(0);
  expect(count("SeatOffered")).toBe(count("WaitlistJoined"));
});

/** What the store has, in the order of its positions. */
async function factsOf({ eventStore, codec }: StoreOfTest): Promise<RecordedFact[]> {
  const facts: RecordedFact[] = [];
  const reader = codec.events(moduleEvents.events);
  for await (const page of eventStore.read({})) {
    for (const { type: fullName, value, recordedAtMs } of page) {
      const type = moduleEvents.events.find((one) => one.fullName === fullName);
      const decoder = await reader.learn(value.readInt32BE(1));
      if (type === undefined) throw new Error(`${fullName} is no event of modules.`);
      const event = decoder.decode(value, frameBytes, value.length);
      facts.push({ topic: moduleEvents, type, event, recordedAtMs });
    }
  }
  return facts;
}
