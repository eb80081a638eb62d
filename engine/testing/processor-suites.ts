import type { Fact } from "../decision/definition.ts";
import { JsonCodec } from "../memory/json-codec.ts";
import { MemoryRecordLog } from "../memory/record-log.ts";
import { frameBytes, type RowChange } from "../ports/codec.ts";
import type { AnyProcessor, ErasedChangeProcessor, ErasedEventProcessor } from "../processor.ts";
import { storedState } from "../task/pipeline.ts";
import { crashEverywhere } from "./crashes.ts";
import { assertEqual, type GivenEvent } from "./given.ts";
import { Journal } from "./journal.ts";
import { ProcessorDriver } from "./processor-driver.ts";
import { type History, type Reacted, reactAll } from "./react-all.ts";
import type { Check } from "./suites.ts";
import { TableStage } from "./table-stage.ts";
import type { DriveOptions } from "./task-driver.ts";

export interface ProcessorSuiteOptions {
  readonly processor: AnyProcessor;
  /** What its topics hold, in order: it touches several keys, and the reactions' events, too. */
  readonly history: History;
  /** Batch borders and crashes follow from it. */
  readonly seed?: number;
}

/**
 * What holds for every processor. Its events are compared key by key with those of an independent
 * run: how keys interleave is nobody's promise.
 */
export function processorChecks(options: ProcessorSuiteOptions): readonly Check[] {
  const { seed = 1 } = options;
  return [
    {
      name: "makes what an independent run makes",
      run: async () => {
        await finished(options, { seed, crashOneIn: 0 });
      },
    },
    { name: "duplicate delivery makes nothing", run: () => duplicatesMakeNothing(options) },
    {
      name: "a crash between any two steps loses and doubles nothing",
      run: () => crashEverywhere("processor", seed, (drive) => finished(options, drive)),
    },
  ];
}

interface Source {
  readonly log: MemoryRecordLog;
  readonly codec: JsonCodec;
}

/** Runs to the end and compares. */
async function finished(
  options: ProcessorSuiteOptions,
  drive: DriveOptions,
  copies = 1,
): Promise<ProcessorDriver> {
  const { processor, history } = options;
  const source =
    processor.kind === "events"
      ? await eventSource(processor, history as readonly GivenEvent[], copies)
      : await changeSource(processor, history as readonly RowChange[], copies);
  const driver = new ProcessorDriver({ processor, ...source, ...drive });
  await driver.finish();
  await assertReacted(driver, options, source.codec);
  return driver;
}

async function eventSource(
  { from }: ErasedEventProcessor,
  events: readonly GivenEvent[],
  copies: number,
): Promise<Source> {
  const log = new MemoryRecordLog();
  const codec = new JsonCodec();
  const journal = new Journal({ log, codec });
  for (const topic of from) await journal.open(topic);
  for (const [index, event] of events.entries()) {
    const topic = from.find((one) => one.events.some(({ name }) => name === event.type.name));
    if (!topic) throw new TypeError(`Nothing that is read has the event ${event.type.fullName}.`);
    const appends = journal.encode(topic, [{ recordedAtMs: index * 1_000, ...event }]);
    for (let copy = 0; copy < copies; copy += 1) await log.append(appends);
  }
  return { log, codec };
}

/** Snapshot rows have no place in the order of changes: they come once, and before all others. */
async function changeSource(
  { from: topic, key }: ErasedChangeProcessor,
  changes: readonly RowChange[],
  copies: number,
): Promise<Source> {
  const stage = await TableStage.open({ topic, key });
  for (const change of changes) {
    const times = change.snapshot ? 1 : copies;
    for (let copy = 0; copy < times; copy += 1) await stage.append(change);
  }
  return stage;
}

async function duplicatesMakeNothing(options: ProcessorSuiteOptions): Promise<void> {
  await finished(options, { seed: options.seed ?? 1, crashOneIn: 0 }, 2);
}

async function assertReacted(
  driver: ProcessorDriver,
  { processor, history }: ProcessorSuiteOptions,
  codec: JsonCodec,
): Promise<void> {
  const expected = reactAll(processor, history, driver.nowMs);
  const made = (await driver.events()).map(({ key, type, value }) => {
    return { key, text: `${type} ${textOf(value)}` };
  });
  const wanted = await Promise.all(expected.facts.map((fact) => textOfFact(fact, codec)));
  assertEqual(byKey(made), byKey(wanted), `${processor.name} has made other events`);
  const keys = [...expected.states.keys()];
  const names = Object.keys(processor.state ?? {});
  const stored = [...(await driver.states(keys))].map(([key, state]) => {
    return [key, Object.fromEntries(names.map((name) => [name, state[name]]))] as const;
  });
  const states = Object.fromEntries(storedState(processor) ? stored : []);
  const want = Object.fromEntries(expected.states);
  assertEqual(states, want, `${processor.name} has other states`);
  await assertWanted(driver, expected, processor.name);
}

/** Effects and deadlines; ids in them are left out, since each run has its own. */
async function assertWanted(
  driver: ProcessorDriver,
  expected: Reacted,
  name: string,
): Promise<void> {
  const effects = (await driver.effects()).map(({ key, input }) => ({ key, input }));
  const wanted = [...expected.effects.values()].map(({ key, input }) => ({ key, input }));
  assertEqual(withoutIds(effects), withoutIds(wanted), `${name} wants other effects`);
  const waitedFor = [...expected.deadlines.values()];
  const names = [...new Set(waitedFor.map((one) => one.name))];
  const plain = (one: { name: string; key: string; atMs: number }) =>
    [one.name, one.key, one.atMs] as const;
  const set = (await driver.deadlines(names)).map(plain);
  assertEqual(withoutIds(set), withoutIds(waitedFor.map(plain)), `${name} sets other deadlines`);
}

const withoutIds = (values: readonly unknown[]): string[] =>
  values.map((value) => JSON.stringify(value).replaceAll(idPattern, "<id>")).sort();

interface Told {
  readonly key: string;
  readonly text: string;
}

async function textOfFact({ topic, type, event }: Fact, codec: JsonCodec): Promise<Told> {
  await codec.prepare(topic);
  const key = String((event as Record<string, unknown>)[topic.key]);
  return { key, text: `${type.fullName} ${textOf(codec.encode(topic, type, event))}` };
}

const textOf = (value: Uint8Array): string => Buffer.from(value).toString("utf8", frameBytes);

/** Ids that a decision asked for are told by the order in which they come, not by their value. */
const idPattern = /\b(?:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|id-\d+)\b/g;

function byKey(told: readonly Told[]): Record<string, string[]> {
  const groups = Map.groupBy(told, ({ key }) => key);
  const named = [...groups].map(([key, of]) => {
    const ids = new Map<string, string>();
    const nameOf = (id: string): string => {
      const name = ids.get(id) ?? `<${ids.size + 1}>`;
      ids.set(id, name);
      return name;
    };
    return [key, of.map(({ text }) => text.replaceAll(idPattern, nameOf))] as const;
  });
  return Object.fromEntries(named);
}
