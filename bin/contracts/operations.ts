import type { AnyProcessor } from "../../engine/processor.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import type { Contracts, Json } from "./contracts.ts";

/** What each definition receives, and that the application sends every event and notice. */
export function operationsOf({ eventTopics, processors, projections }: Contracts): Json {
  const sent = eventTopics.map(({ name }) => [`record-${name}`, sends(name)]);
  const received = [
    ...processors.map((definition) => ({ definition, what: "processor" })),
    ...projections.map((definition) => ({ definition, what: "projection" })),
  ].flatMap(({ definition, what }) => receives(definition, what));
  return Object.fromEntries([...sent, ...received]);
}

const sends = (topic: string): Json => ({
  action: "send",
  channel: channelRef(topic),
  summary: "Recorded in the event store by decisions, and published from there.",
});

function receives(
  definition: AnyProcessor | AnyProjection,
  what: string,
): (readonly [string, Json])[] {
  const { name } = definition;
  if (definition.kind === "changes") {
    const topic = definition.from.name;
    return [[name, { action: "receive", channel: channelRef(topic), summary: `The ${what}.` }]];
  }
  const several = definition.from.length > 1;
  return definition.from.map((topic) => [
    several ? `${name}-${topic.name}` : name,
    {
      action: "receive",
      channel: channelRef(topic.name),
      summary: `The ${what} ${name}.`,
      messages: topic.events
        .filter((type) => definition.on[type.name] !== "ignore")
        .map((type) => ({ $ref: `#/channels/${topic.name}/messages/${type.name}` })),
    },
  ]);
}

const channelRef = (topic: string): Json => ({ $ref: `#/channels/${topic}` });
