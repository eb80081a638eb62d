import type { RecordLog, TopicInfo } from "../../engine/ports/record-log.ts";
import type { Definitions } from "../system/definitions.ts";
import type { Findings } from "./finding.ts";

/** The log: every topic with its partitions and its retention. */
export async function lookAtTopics(
  found: Findings,
  part: {
    readonly log: Pick<RecordLog, "topics">;
    readonly definitions: Pick<Definitions, "eventTopics" | "changeTopics">;
  },
): Promise<void> {
  const { eventTopics, changeTopics } = part.definitions;
  const topics = new Map((await part.log.topics()).map((topic) => [topic.name, topic]));
  found.ok(`answers, ${topics.size} topics`);
  for (const wanted of [...eventTopics, ...changeTopics]) {
    const { name, partitions } = wanted;
    const retentionMs = "retentionMs" in wanted ? wanted.retentionMs : undefined;
    const topic = topics.get(name);
    if (topic === undefined) {
      found.fault(`there is no topic ${name}`, "Start refold, or run refold connectors apply.");
    } else if (topic.partitions !== partitions) {
      found.fault(
        `topic ${name} has ${topic.partitions} partitions, not ${partitions}`,
        "Keys would change their partition: make the topic anew and republish, or keep the number.",
      );
    } else lookAtRetention(found, topic, retentionMs);
  }
}

function lookAtRetention(
  found: Findings,
  { name, partitions, retentionMs }: TopicInfo,
  wantedMs: number | undefined,
): void {
  if (retentionMs === wantedMs) {
    const kept = wantedMs === undefined ? "kept for ever" : `kept for ${wantedMs / 3_600_000} h`;
    return found.ok(`topic ${name}: ${partitions} partitions, ${kept}`);
  }
  const fix = `Set its retention.ms to ${wantedMs ?? -1} (kafka-configs --alter --entity-type topics).`;
  const what = `topic ${name} keeps records for ${retentionMs === undefined ? "ever" : `${retentionMs} ms`}`;
  // What is kept for too short is lost to rebuilds; too long only costs room.
  if (wantedMs === undefined || (retentionMs !== undefined && retentionMs < wantedMs)) {
    found.fault(what, fix);
  } else found.warning(what, fix);
}
