import type { SagaDefinition, SagaStep } from "./definition.ts";
import { recordEntries } from "./records.ts";

/** As much of a definition as is checked: what its functions take doesn't matter. */
type AnySaga = Pick<
  SagaDefinition<unknown, unknown, unknown>,
  "name" | "topic" | "records" | "reports" | "stepsMax"
> & {
  readonly stages: readonly (readonly CheckedStep[])[];
};

type CheckedStep = Pick<SagaStep, "name" | "reportedWithinMs"> & {
  readonly undo?: { readonly ended?: unknown } | undefined;
};

/** @throws TypeError naming every fault. */
export function assertSaga(saga: AnySaga): void {
  const faults = [...nameFaults(saga), ...stepFaults(saga), ...recordFaults(saga)];
  faults.push(...reportFaults(saga));
  if (faults.length > 0) throw new TypeError(`Saga ${saga.name}: ${faults.join("; ")}.`);
}

function* nameFaults({ name, topic, stepsMax = 1 }: AnySaga): Generator<string> {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name)) {
    yield "its name must be of a-z, 0-9 and -, begin with a letter, and have at most 40";
  }
  if (topic.tags[topic.key] === undefined) {
    yield `${topic.name} doesn't tag its key ${topic.key}, by which a saga's events are found`;
  }
  if (!(Number.isInteger(stepsMax) && stepsMax >= 1 && stepsMax <= 1_000)) {
    yield `stepsMax must be a whole number from 1 to 1000, not ${stepsMax}`;
  }
}

function* stepFaults({ stages, records }: AnySaga): Generator<string> {
  if (stages.length === 0) yield "it has no stages";
  if (stages.some((stage) => stage.length === 0)) yield "a stage has no steps";
  const steps = stages.flat();
  yield* twice(steps.map(({ name }) => name)).map((name) => `two steps are named ${name}`);
  for (const { name, reportedWithinMs, undo } of steps) {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) {
      yield `the step name ${name} must be of a-z, 0-9 and -, and begin with a letter`;
    }
    if (reportedWithinMs !== undefined && !(reportedWithinMs >= 1)) {
      yield `reportedWithinMs of ${name} must be 1 or more`;
    }
    if (undo?.ended && !records.stepCompensating) {
      yield `the undoing of ${name} ends later, and records has no stepCompensating`;
    }
  }
}

function* recordFaults({ topic, records }: AnySaga): Generator<string> {
  const entries = recordEntries(records);
  for (const [kind, { type }] of entries) {
    if (topic.events.some(({ fullName }) => fullName === type.fullName)) continue;
    yield `${kind} is recorded as ${type.fullName}, which ${topic.name} doesn't have`;
  }
  const names = entries.map(([, { type }]) => type.name);
  yield* twice(names).map((name) => `two facts are recorded as ${name}`);
}

function* reportFaults({ topic, stages, reports = [] }: AnySaga): Generator<string> {
  const topics = [topic, ...reports.map(({ from }) => from)];
  yield* twice(topics.map(({ name }) => name)).map((name) => `${name} is read twice`);
  const counts = new Set(topics.map(({ partitions }) => partitions));
  if (counts.size > 1) yield `its topics have different numbers of partitions`;
  const events = topics.flatMap((one) => one.events.map(({ name }) => name));
  yield* twice(events).map((name) => `two topics have an event ${name}`);
  for (const { from, on } of reports) {
    const unknown = Object.keys(on).filter((name) => !from.events.some((one) => one.name === name));
    yield* unknown.map((name) => `${from.name} has no event ${name} that could report`);
  }
  const waiting = stages.flat().some((step) => step.reportedWithinMs ?? step.undo?.ended);
  if (waiting && reports.length === 0) yield "a step waits for reports, and there are none";
}

const twice = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, at) => names.indexOf(name) !== at)),
];
