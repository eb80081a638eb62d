import type { DecisionModel, Fact, ModelOf } from "../decision/definition.ts";
import type { EventTopic } from "../topic.ts";
import type { SagaRecord, SagaRecords } from "./definition.ts";
import type { SagaFact } from "./facts.ts";
import { evolveSaga, type KnownSaga, type SagaState } from "./state.ts";

type AnyRecord = SagaRecord<never>;

/** Each fact's kind with its event type. */
export const recordEntries = <Input, Data>(
  records: SagaRecords<Input, Data>,
): [SagaFact["kind"], AnyRecord][] =>
  Object.entries(records) as unknown as [SagaFact["kind"], AnyRecord][];

export interface SagaLedger<Input, Data> {
  readonly topic: EventTopic;
  readonly records: SagaRecords<Input, Data>;
}

/** The decision model of sagas. */
export type SagaModel<Input, Data> = DecisionModel<SagaState<Input, Data>> & {
  of(id: string): ModelOf<SagaState<Input, Data>>;
};

/** A fact of a saga as the domain's event. */
export function factOf<Input, Data>(
  { topic, records }: SagaLedger<Input, Data>,
  saga: Pick<KnownSaga<Input, Data>, "id" | "input">,
  fact: SagaFact<Input, Data>,
): Fact {
  const record = records[fact.kind] as unknown as AnyRecord;
  const event = record.write(fact as never, saga);
  assertReadable(record, event, fact);
  if (fieldOf(event, topic.key) === saga.id) return { topic, type: record.type, event };
  throw new TypeError(`${record.type.name} is written without the saga's id in ${topic.key}.`);
}

/** What is read back otherwise than it was written would keep the saga at the same step for ever. */
function assertReadable(record: AnyRecord, event: unknown, fact: SagaFact): void {
  const read = record.read(event as never) as Readonly<Record<string, unknown>>;
  for (const name of ["step", "attempt", "reason"] as const) {
    const written: unknown = (fact as unknown as Record<string, unknown>)[name];
    if (read[name] === written) continue;
    throw new TypeError(
      `${record.type.name} is written with ${name} ${String(written)}, and read back with ` +
        `${String(read[name])}: its write and read don't fit each other.`,
    );
  }
}

/** The saga as its own events say. */
export function sagaModel<Input, Data>(
  name: string,
  ledger: SagaLedger<Input, Data>,
): SagaModel<Input, Data> {
  const { topic, records } = ledger;
  type State = SagaState<Input, Data>;
  const on = recordEntries(records).map(([kind, record]) => {
    const evolve = (state: State, event: never): State => {
      const id = String(fieldOf(event, topic.key));
      const fact = { ...(record.read(event) as object), kind, id };
      return evolveSaga(state, fact as unknown as SagaFact<Input, Data>);
    };
    return [record.type.name, evolve] as const;
  });
  const model: DecisionModel<State> = {
    name,
    tag: topic.tags[topic.key] as string,
    topic,
    initial: undefined,
    on: Object.fromEntries(on),
  };
  return { ...model, of: (id) => ({ model, id }) };
}

const fieldOf = (event: unknown, field: string): unknown =>
  (event as Readonly<Record<string, unknown>>)[field];
