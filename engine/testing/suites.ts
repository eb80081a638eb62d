import { JsonCodec } from "../memory/json-codec.ts";
import { MemoryRecordLog } from "../memory/record-log.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { ErasedEventProjection } from "../projection.ts";
import type { AnyEventType, EventTopic } from "../topic.ts";
import { crashEverywhere } from "./crashes.ts";
import { ProjectionDriver } from "./driver.ts";
import { assertEqual, foldAll, type GivenEvent } from "./given.ts";
import { Journal } from "./journal.ts";

/** A property that every projection has, as a value: a test runner gives it its name. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<void>;
}

export interface SuiteOptions {
  readonly projection: ErasedEventProjection;
  /** A history that touches several keys, in the order in which it happened. */
  readonly events: readonly GivenEvent[];
  /** Default: JSON. */
  readonly codec?: () => EventCodec;
  /** Batch borders and crashes follow from it. */
  readonly seed?: number;
}

/**
 * What holds for every projection of events, whatever it folds:
 * `for (const check of projectionChecks({...})) test(check.name, check.run)`.
 */
export function projectionChecks(options: SuiteOptions): readonly Check[] {
  return [
    { name: "replay equals live", run: () => replayEqualsLive(options) },
    { name: "duplicate delivery changes nothing", run: () => duplicatesChangeNothing(options) },
    { name: "unknown events are ignored", run: () => unknownEventsAreIgnored(options) },
    { name: "the interleaving of topics doesn't matter", run: () => interleaving(options) },
    {
      name: "a crash between any two steps loses and doubles nothing",
      run: () => crashesLoseNothing(options),
    },
  ];
}

interface Stage {
  readonly log: MemoryRecordLog;
  readonly codec: EventCodec;
  readonly journal: Journal;
}

async function stage({ projection, codec }: SuiteOptions): Promise<Stage> {
  const log = new MemoryRecordLog();
  const made = codec?.() ?? new JsonCodec();
  const journal = new Journal({ log, codec: made });
  for (const topic of projection.from) await journal.open(topic);
  return { log, codec: made, journal };
}

async function appendAll({ journal }: Stage, options: SuiteOptions): Promise<void> {
  for (const event of timed(options.events)) {
    await journal.append(topicOf(options.projection, event.type), [event]);
  }
}

const timed = (events: readonly GivenEvent[]): GivenEvent[] =>
  events.map((event, at) => ({ recordedAtMs: at * 1_000, ...event }));

function topicOf(projection: ErasedEventProjection, type: AnyEventType): EventTopic {
  const found = projection.from.find(({ events }) =>
    events.some(({ fullName }) => fullName === type.fullName),
  );
  if (!found) throw new TypeError(`${projection.name} reads no topic with ${type.fullName}.`);
  return found;
}

async function assertRows(driver: ProjectionDriver, options: SuiteOptions): Promise<void> {
  const expected = foldAll(options.projection, timed(options.events));
  const actual = await driver.rows();
  const message = `${options.projection.name} has other rows than the independent fold`;
  assertEqual(Object.fromEntries(actual), Object.fromEntries(expected), message);
  await driver.assertDigests();
}

async function replayEqualsLive(options: SuiteOptions): Promise<void> {
  const { projection, seed = 1 } = options;
  const made = await stage(options);
  const live = new ProjectionDriver({ projection, ...made, seed });
  for (const event of timed(options.events)) {
    await made.journal.append(topicOf(projection, event.type), [event]);
    await live.catchUp();
  }
  await assertRows(live, options);
  const replay = new ProjectionDriver({ projection, ...made, seed: seed + 1 });
  await replay.catchUp();
  await assertRows(replay, options);
}

async function duplicatesChangeNothing(options: SuiteOptions): Promise<void> {
  const made = await stage(options);
  for (const event of timed(options.events)) {
    const appends = made.journal.encode(topicOf(options.projection, event.type), [event]);
    await made.log.append(appends);
    await made.log.append(appends);
  }
  const driver = new ProjectionDriver({ ...options, ...made });
  await driver.catchUp();
  await assertRows(driver, options);
}

async function unknownEventsAreIgnored(options: SuiteOptions): Promise<void> {
  const made = await stage(options);
  for (const event of timed(options.events)) {
    const topic = topicOf(options.projection, event.type);
    const stranger = { ...event.type, name: "Unheard", fullName: `unheard.Of${event.type.name}` };
    const widened = { ...topic, events: [...topic.events, stranger] };
    await made.codec.prepare(widened);
    await made.journal.append(widened, [{ ...event, type: stranger }, event]);
  }
  const driver = new ProjectionDriver({ ...options, ...made });
  await driver.catchUp();
  await assertRows(driver, options);
}

/** Topic after topic, both ways round: each lane keeps its order, all else is turned about. */
async function interleaving(options: SuiteOptions): Promise<void> {
  const { projection, events } = options;
  const topics = [...projection.from];
  for (const order of [topics, topics.toReversed()]) {
    const made = await stage(options);
    const driver = new ProjectionDriver({ ...options, ...made });
    for (const topic of order) {
      const own = timed(events).filter(({ type }) => topicOf(projection, type) === topic);
      await made.journal.append(topic, own);
      await driver.catchUp();
    }
    await assertRows(driver, options);
  }
}

async function crashesLoseNothing(options: SuiteOptions): Promise<void> {
  const { projection, seed = 1 } = options;
  await crashEverywhere("projection", seed, async (drive) => {
    const made = await stage(options);
    await appendAll(made, options);
    const driver = new ProjectionDriver({ projection, ...made, ...drive });
    await driver.finish();
    await assertRows(driver, options);
    return driver;
  });
}
