import type { PartitionBounds, RecordLog, TopicInfo } from "../../engine/ports/record-log.ts";
import { type Offset, offset } from "../../engine/position.ts";
import { CommandFailure } from "../command-failure.ts";

export interface Place {
  readonly topic: TopicInfo;
  /** Undefined: all of them. */
  readonly partition: number | undefined;
  /** `earliest`, `latest`, an offset, or an ISO 8601 time. */
  readonly from: string;
}

/** The topic of this name. @throws CommandFailure that lists the topics there are. */
export async function topicNamed(log: RecordLog, name: string): Promise<TopicInfo> {
  const topics = await log.topics();
  const found = topics.find((topic) => topic.name === name);
  if (found) return found;
  const known = topics.map((topic) => topic.name).join(", ");
  const there = topics.length === 0 ? "the log has none yet" : `there are ${known}`;
  throw new CommandFailure("nothingThere", `There is no topic ${name}: ${there}.`);
}

/** Where each partition is read from. @throws CommandFailure for what can't be meant. */
export async function startOffsets(log: RecordLog, place: Place): Promise<Map<number, Offset>> {
  const { topic, partition, from } = place;
  if (partition !== undefined && partition >= topic.partitions) {
    const last = topic.partitions - 1;
    const message = `${topic.name} has no partition ${partition}: they are 0 to ${last}.`;
    throw new CommandFailure("usage", message);
  }
  const find = await finder(log, topic, from);
  const bounds = await log.bounds(topic.name);
  const wanted = bounds.filter((one) => partition === undefined || one.partition === partition);
  return new Map(wanted.map((one) => [one.partition, find(one, wanted.length)]));
}

type Find = (bounds: PartitionBounds, partitions: number) => Offset;

async function finder(log: RecordLog, topic: TopicInfo, from: string): Promise<Find> {
  if (from === "earliest") return (bounds) => bounds.start;
  if (from === "latest") return (bounds) => bounds.end;
  if (/^\d+$/.test(from)) return offsetFinder(topic, BigInt(from));
  const timestampMs = timeOf(from);
  const offsets = await log.offsetsAt(topic.name, timestampMs);
  return (bounds) => offsets.get(bounds.partition) ?? bounds.end;
}

function offsetFinder(topic: TopicInfo, wanted: bigint): Find {
  return ({ partition, start, end }, partitions) => {
    if (partitions > 1) {
      const message = `Offset ${wanted} is of one partition: name it with --partition.`;
      throw new CommandFailure("usage", message);
    }
    if (wanted >= start && wanted <= end) return offset(wanted);
    const message = `${topic.name}, partition ${partition}, holds the offsets from ${start} to before ${end}.`;
    throw new CommandFailure("usage", message);
  };
}

const isoTime =
  /^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?)?$/;

/** A time without a zone is UTC, as everything that is printed. */
function timeOf(text: string): number {
  const zoned = /([Zz]|[+-]\d{2}:?\d{2})$/.test(text.slice(10)) || text.length === 10;
  const time = isoTime.test(text) ? Date.parse(zoned ? text : `${text}Z`) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  const example = "2013-09-15T00:00:00Z";
  const message = `--from ${text} is neither earliest, latest, an offset nor a time like ${example}.`;
  throw new CommandFailure("usage", message);
}
