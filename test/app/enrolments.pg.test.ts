import { expect, it } from "vitest";

import type { Decider } from "../../engine/decision/decider.ts";
import { followed, type FollowedCall } from "../../engine/decision/definition.ts";
import type { StoredEvent } from "../../engine/ports/event-store.ts";
import type { Emit } from "../../engine/processor.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import {
  enrolment,
  enrolmentPaymentId,
  startEnrolment,
} from "../../processors/enrolments/index.ts";
import { confirmPayment } from "../../processors/payments/index.ts";
import { enrolmentEvents, paymentEvents } from "../../schemas/topics.ts";
import { realClock } from "../api/real-clock.ts";
import { row } from "../api/server.ts";
import { mustExecute, storeOfTest, type StoreOfTest } from "./store-of-test.ts";

const moduleCodes = Array.from({ length: 10 }, (_, at) => `M${at}`);

/** What the enrolment's processor emits for an event that it reads. */
function emittedFor(name: string, event: unknown): FollowedCall {
  const react = enrolment.processor.on[name];
  let emitted: FollowedCall | undefined;
  const emit: Emit = (call, followUps = {}) => void (emitted = followed(call, followUps));
  const topic = enrolmentEvents.name;
  const meta = { topic, partition: 0, offset: 0, recordedAtMs: 0, sequence: 1 };
  if (typeof react === "function") react(undefined as never, event as never, emit, meta);
  if (!emitted) throw new Error(`Nothing is emitted for ${name}.`);
  return emitted;
}

/** Several processes react to one event at once; each is certain that it is the only one. */
async function reactAtOnce(
  processes: readonly Decider[],
  name: string,
  event: unknown,
): Promise<void> {
  const { call, ...followUps } = emittedFor(name, event);
  await Promise.all(
    processes.map((process, at) =>
      process.execute<never>(
        call as never,
        { correlationId: "test", seed: `${name}/${at}` },
        followUps,
      ),
    ),
  );
}

async function countsByType({ eventStore }: StoreOfTest): Promise<Record<string, number>> {
  const events: StoredEvent[] = [];
  for await (const page of eventStore.read({})) events.push(...page);
  const types = Map.groupBy(events, ({ type }) => type.split(".").at(-1) ?? "");
  return Object.fromEntries([...types].map(([type, of]) => [type, of.length]));
}

it("does every step of five modules once, though four processes react at once", async () => {
  const store = await storeOfTest();
  for (const topic of [enrolmentEvents, paymentEvents]) await store.codec.prepare(topic);
  const processes = Array.from({ length: 4 }, () => store.decider(realClock));
  const client = store.decider(realClock);
  for (const moduleCode of moduleCodes.slice(0, 5)) {
    await mustExecute(client, offerModule({ ...row, moduleCode, capacity: 3, feeCents: 100 }));
  }
  const input = { studentId: "ada", moduleCodes: moduleCodes.slice(0, 5) };
  const { answer } = await mustExecute(client, startEnrolment(input));
  const { enrolmentId: id } = answer;
  await reactAtOnce(processes, "EnrolmentStarted", { enrolmentId: id });
  expect(await countsByType(store)).toMatchObject({
    ModuleRegistered: 5,
    EnrolmentStepDone: 5,
    EnrolmentStepStarted: 1,
    PaymentRequested: 1,
  });
  const paymentId = enrolmentPaymentId({ id, attempt: 1 });
  await mustExecute(client, confirmPayment({ paymentId, provider: "p", reference: "r" }));
  const confirmed = { paymentId, subjectType: "ENROLMENT", subjectId: id };
  await reactAtOnce(processes, "PaymentConfirmed", confirmed);
  expect(await countsByType(store)).toMatchObject({
    RegistrationCompleted: 5,
    EnrolmentStepDone: 11,
    EnrolmentCompleted: 1,
  });
});

it("gives up the modules that it had, once, when the student's limit stops the sixth", async () => {
  const store = await storeOfTest();
  for (const topic of [enrolmentEvents, paymentEvents]) await store.codec.prepare(topic);
  const processes = Array.from({ length: 4 }, () => store.decider(realClock));
  const client = store.decider(realClock);
  for (const moduleCode of moduleCodes) {
    await mustExecute(client, offerModule({ ...row, moduleCode, capacity: 3, feeCents: 100 }));
  }
  const { answer } = await mustExecute(client, startEnrolment({ studentId: "ada", moduleCodes }));
  const { enrolmentId } = answer;
  await reactAtOnce(processes, "EnrolmentStarted", { enrolmentId });
  const counts = await countsByType(store);
  expect(counts).toMatchObject({
    ModuleRegistered: 5,
    EnrolmentStepFailed: 1,
    RegistrationCancelled: 5,
    EnrolmentStepCompensated: 5,
    EnrolmentReversed: 1,
  });
  expect(counts["PaymentRequested"]).toBeUndefined();
});
