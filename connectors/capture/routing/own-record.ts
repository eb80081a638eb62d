import type { RecordToAppend } from "../../../engine/ports/record-log.ts";
import type { SchemaRegistry } from "../../../engine/ports/schema-registry.ts";
import type { AvroType } from "../types/converter.ts";
import type { EventRouter } from "./event-router.ts";
import { register, type TopicSchemaIds } from "./registered.ts";
import { converted, type SideStyle } from "./side.ts";

/** The Confluent frame before Avro's bytes. */
const frameBytes = 5;

/** How a topic of the stream's own is written. */
export interface OwnForm {
  readonly schemaIds: TopicSchemaIds;
  /** From Avro to what the converters make of it. */
  readonly finish: (record: RecordToAppend) => RecordToAppend;
}

/** Beside outbox tables the stream's own records go through the same converters as events. */
export async function ownForm(
  { registry, eventRouter }: { registry: SchemaRegistry; eventRouter?: EventRouter | undefined },
  topic: string,
  texts: { readonly key: string; readonly value: string },
): Promise<OwnForm> {
  const styles = {
    key: eventRouter?.keys ?? "avro",
    value: eventRouter?.values ?? "avro",
  } as const;
  const id = (side: "key" | "value"): Promise<number> | number =>
    styles[side] === "avro" ? register(registry, `${topic}-${side}`, texts[side]) : 0;
  const schemaIds = { key: await id("key"), value: await id("value") };
  const key = finisher(styles.key, texts.key);
  const value = finisher(styles.value, texts.value);
  if (!key && !value) return { schemaIds, finish: (record) => record };
  return {
    schemaIds,
    finish: (record) => ({
      ...record,
      key: key ? key(record.key) : record.key,
      value: value ? value(record.value) : record.value,
    }),
  };
}

type Side = RecordToAppend["key"];

function finisher(style: SideStyle, text: string): ((side: Side) => Side) | undefined {
  if (style === "avro") return undefined;
  const schema = JSON.parse(text) as AvroType;
  return (side) => side && converted(style, schema, Buffer.from(side.subarray(frameBytes)));
}
