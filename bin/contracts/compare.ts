import { incompatibilities, type Schema } from "../../schemas/avro/index.ts";
import type { ToldContract, ToldTopic } from "./read-contract.ts";

/** Which version's consumers something is told of. */
export type Side = "theirs" | "ours";

/** Something that consumers can't live with. */
export interface Break {
  readonly topic: string;
  /** undefined: the topic as a whole. */
  readonly message: string | undefined;
  /** `theirs`: consumers of the other version, reading what this one writes; `ours`: the reverse. */
  readonly consumersOf: Side;
  /** By name, sorted. */
  readonly consumers: readonly string[];
  /** One sentence for each reason. */
  readonly reasons: readonly string[];
}

export interface ContractDifference {
  readonly breaks: readonly Break[];
  /** What has changed and breaks nobody, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Compares what two versions of a project promise each other. Consumers of the other version must be
 * able to read what this one writes, as long as both run; consumers of this one must be able to read
 * what the other has written, since logs are read again from the beginning.
 */
export function compareContracts(theirs: ToldContract, ours: ToldContract): ContractDifference {
  const breaks: Break[] = [];
  const notes: string[] = [];
  for (const [name, their] of theirs) {
    const our = ours.get(name);
    if (our === undefined) breaks.push(gone(their));
    else {
      breaks.push(...wholeTopic(their, our), ...schemaBreaks(their, our));
      notes.push(...noted(their, our));
    }
  }
  for (const name of ours.keys()) if (!theirs.has(name)) notes.push(`The topic ${name} is new.`);
  return { breaks: breaks.filter(({ consumers }) => consumers.length > 0), notes };
}

const gone = (topic: ToldTopic): Break => ({
  topic: topic.name,
  message: undefined,
  consumersOf: "theirs",
  consumers: [...topic.consumers.keys()].sort(),
  reasons: ["nothing is written to the topic any more"],
});

/** Where a record lies must not change: order holds per partition, and rows belong to one. */
function wholeTopic(their: ToldTopic, our: ToldTopic): Break[] {
  const reasons: string[] = [];
  if (their.partitions !== our.partitions) {
    reasons.push(`it has ${our.partitions} partitions instead of ${their.partitions}`);
  }
  if (their.key !== our.key) {
    reasons.push(`its key is ${our.key ?? "not told"} instead of ${their.key ?? "not told"}`);
  }
  if (reasons.length === 0) return [];
  const of = { topic: their.name, message: undefined, reasons };
  return [
    { ...of, consumersOf: "theirs", consumers: [...their.consumers.keys()].sort() },
    { ...of, consumersOf: "ours", consumers: [...our.consumers.keys()].sort() },
  ];
}

function schemaBreaks(their: ToldTopic, our: ToldTopic): Break[] {
  return [...their.messages].flatMap(([message, before]) => {
    const after = our.messages.get(message);
    if (after === undefined) return [];
    const both = [
      { consumersOf: "theirs", topic: their, reader: before, writer: after },
      { consumersOf: "ours", topic: our, reader: after, writer: before },
    ] as const;
    return both.flatMap(({ consumersOf, topic, reader, writer }) => {
      const reasons = reasonsOf(reader, writer);
      if (reasons.length === 0) return [];
      const consumers = readersOf(topic, message);
      return [{ topic: topic.name, message, consumersOf, consumers, reasons }];
    });
  });
}

const reasonsOf = (reader: Schema, writer: Schema): string[] =>
  incompatibilities(reader, writer).map(
    ({ reason, path, message }) => `${reason} at ${path}: ${message}`,
  );

const readersOf = ({ consumers }: ToldTopic, message: string): string[] =>
  [...consumers]
    .filter(([, messages]) => messages === undefined || messages.has(message))
    .map(([consumer]) => consumer)
    .sort();

function* noted(their: ToldTopic, our: ToldTopic): Generator<string> {
  for (const name of our.messages.keys()) {
    if (their.messages.has(name)) continue;
    yield `${name} is new on ${our.name}: the other version's consumers pass it over.`;
  }
  for (const name of their.messages.keys()) {
    if (our.messages.has(name)) continue;
    const readers = readersOf(their, name);
    const told =
      readers.length === 0 ? "" : `, though ${readers.join(", ")} of the other version read it`;
    yield `${name} is not written to ${our.name} any more${told}.`;
  }
}
