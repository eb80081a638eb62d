import { isHeartbeat, withoutTime } from "../heartbeats.ts";
import type { RecordedEvent, Scenario, SqlError } from "../scenario.ts";
import { absent, unlike, type Difference } from "./difference.ts";
import { named } from "./names.ts";
import { withRelations } from "./relations.ts";
import { withoutTimed } from "./timed-events.ts";

/** A run of a scenario, in the recordings' form. */
export interface ToldRun {
  readonly events: readonly RecordedEvent[];
  readonly schemas: Readonly<Record<string, object>>;
  readonly sqlErrors: readonly SqlError[];
  /** Why the capture halted. */
  readonly failure?: { readonly code: string; readonly message: string };
}

/**
 * Compares a run with the recording: topics, keys, values, headers, tombstones and schemas, in the
 * order over all topics. What no two runs have alike is compared by its relations.
 *
 * @returns Every difference, in the order of the events.
 */
export function differences(scenario: Scenario, run: ToldRun): Difference[] {
  const recorded: ToldRun = {
    events: scenario.events ?? [],
    schemas: scenario.schemas ?? {},
    sqlErrors: scenario.sqlErrors ?? [],
  };
  const end = [...endDifferences(scenario, run)];
  // What a halted capture says explains all that is missing.
  return [
    ...(run.failure ? end : []),
    ...sqlDifferences(recorded.sqlErrors, run.sqlErrors),
    ...eventDifferences(
      comparable(scenario, recorded).filter((event) => !event.isHeartbeat),
      comparable(scenario, run).filter((event) => !event.isHeartbeat),
    ),
    ...heartbeatDifferences(comparable(scenario, recorded), comparable(scenario, run)),
    ...(run.failure ? [] : end),
  ];
}

/** An event with all that counts, its schemas as text. */
interface ComparableEvent {
  readonly seq: number;
  readonly isHeartbeat: boolean;
  readonly topic: string;
  readonly told: {
    readonly topic: string;
    readonly key: unknown;
    readonly value: unknown;
    readonly headers: unknown;
    readonly headerOrder: readonly string[];
    readonly keySchema: unknown;
    readonly valueSchema: unknown;
    readonly keyAvro: unknown;
  };
}

function comparable(scenario: Scenario, run: ToldRun): ComparableEvent[] {
  const schema = (number: number | null): unknown =>
    number === null ? null : (run.schemas[number] ?? absent);
  return named(withoutTimed(scenario, withRelations(run.events))).map((event) => {
    const heartbeat = isHeartbeat(event, scenario);
    const { seq, topic, key, value, headers, keyAvro } = heartbeat ? withoutTime(event) : event;
    const told = {
      topic,
      key,
      value,
      headers,
      headerOrder: Object.keys(headers),
      keySchema: schema(event.keySchema),
      valueSchema: schema(event.valueSchema),
      keyAvro,
    };
    return { seq, topic, told, isHeartbeat: heartbeat };
  });
}

function* eventDifferences(
  recorded: readonly ComparableEvent[],
  ours: readonly ComparableEvent[],
): Generator<Difference> {
  const length = Math.max(recorded.length, ours.length);
  for (let index = 0; index < length; index++) {
    const [one, other] = [recorded[index], ours[index]];
    const { seq = 0, topic = "" } = one ?? other ?? {};
    if (!one || !other) {
      yield { seq, topic, path: "event", recorded: whole(one), ours: whole(other) };
      continue;
    }
    for (const found of unlike("", one.told, other.told)) {
      yield { seq, topic, ...found, path: found.path.slice(1) };
    }
  }
}

function whole(event: ComparableEvent | undefined): unknown {
  if (!event) return absent;
  const { topic, key, value } = event.told;
  return { topic, key, value };
}

/** How many heartbeats there are is a matter of time; what they say is not. */
function* heartbeatDifferences(
  recorded: readonly ComparableEvent[],
  ours: readonly ComparableEvent[],
): Generator<Difference> {
  const one = recorded.find((event) => event.isHeartbeat);
  const other = ours.find((event) => event.isHeartbeat);
  if (one) yield* eventDifferences([one], other ? [other] : []);
}

function* sqlDifferences(
  recorded: readonly SqlError[],
  ours: readonly SqlError[],
): Generator<Difference> {
  const states = (errors: readonly SqlError[]): unknown =>
    errors.map(({ statement, sqlstate }) => ({ statement, sqlstate }));
  for (const found of unlike("sqlErrors", states(recorded), states(ours))) {
    yield { seq: 0, topic: "", ...found };
  }
}

/** A connector that stopped and a capture that halts end alike, each with its own words. */
function* endDifferences(scenario: Scenario, { failure }: ToldRun): Generator<Difference> {
  const recorded = scenario.connectorFailed;
  if ((recorded === undefined) === (failure === undefined)) return;
  yield {
    seq: 0,
    topic: "",
    path: "end",
    recorded: recorded?.split("\n")[0] ?? "runs on",
    ours: failure === undefined ? "runs on" : `${failure.code}: ${failure.message}`,
  };
}
