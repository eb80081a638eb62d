import { RecordError } from "./errors.ts";
import { sequence, type Sequence } from "./position.ts";

/** Positions in lanes of one store's life: everything up to and including each sequence. */
export interface PositionToken {
  readonly incarnation: string;
  readonly lanes: readonly LanePosition[];
}

export interface LanePosition {
  readonly topic: string;
  readonly partition: number;
  readonly sequence: Sequence;
}

/** A token names at most as many lanes; longer ones are refused before they are read. */
export const tokenLanesMax = 1_000;
const tokenCharactersMax = 64 * 1024;

const invalid = (why: string): RecordError =>
  new RecordError(
    "token-invalid",
    `This position token ${why}. Send one that a Refold-Position header or an event id gave.`,
  );

/**
 * Compact text for headers and event ids: base64url of
 * `1|<incarnation>|<topic>:<partition>=<sequence>,...|<topic>:...`, each part percent-encoded,
 * numbers in base 36, lanes by topic and partition.
 */
export function encodePositionToken(token: PositionToken): string {
  const topics = new Map<string, LanePosition[]>();
  for (const lane of token.lanes) {
    const lanes = topics.get(lane.topic);
    if (lanes) lanes.push(lane);
    else topics.set(lane.topic, [lane]);
  }
  const parts = [...topics]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([topic, lanes]) => `${encodeURIComponent(topic)}:${lanesText(lanes)}`);
  const text = ["1", encodeURIComponent(token.incarnation), ...parts].join("|");
  return Buffer.from(text, "utf8").toString("base64url");
}

function lanesText(lanes: readonly LanePosition[]): string {
  return [...lanes]
    .sort((one, other) => one.partition - other.partition)
    .map((lane) => `${lane.partition.toString(36)}=${lane.sequence.toString(36)}`)
    .join(",");
}

/** @throws RecordError `token-invalid` for anything that `encodePositionToken` didn't make. */
export function decodePositionToken(text: string): PositionToken {
  if (text.length > tokenCharactersMax) throw invalid("is too long");
  if (!/^[A-Za-z0-9_-]+$/.test(text)) throw invalid("is not base64url");
  const [version, incarnation, ...parts] = Buffer.from(text, "base64url")
    .toString("utf8")
    .split("|");
  if (version !== "1" || incarnation === undefined) throw invalid("has no version that is known");
  const lanes = parts.flatMap(decodeTopic);
  if (lanes.length > tokenLanesMax) throw invalid(`names more than ${tokenLanesMax} lanes`);
  return { incarnation: decodeText(incarnation), lanes };
}

function decodeTopic(part: string): LanePosition[] {
  const colon = part.lastIndexOf(":");
  if (colon <= 0) throw invalid("has a topic without lanes");
  const topic = decodeText(part.slice(0, colon));
  return part
    .slice(colon + 1)
    .split(",")
    .map((lane) => decodeLane(topic, lane));
}

function decodeLane(topic: string, lane: string): LanePosition {
  const found = /^([0-9a-z]{1,6})=([0-9a-z]{1,12})$/.exec(lane);
  if (!found) throw invalid("has a lane that can't be read");
  const [, partition = "", at = ""] = found;
  return { topic, partition: parseInt(partition, 36), sequence: sequence(base36(at)) };
}

function base36(text: string): bigint {
  let value = 0n;
  for (const digit of text) value = value * 36n + BigInt(parseInt(digit, 36));
  return value;
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new RecordError("token-invalid", invalid("has text that can't be read").message, {
      cause: error,
    });
  }
}
