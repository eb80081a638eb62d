import { randomUUID } from "node:crypto";

import {
  bigint,
  boolean,
  double,
  integer,
  json,
  nullable,
  text,
  timestamp,
} from "../../engine/columns.ts";
import type { DeadLetter, DeadLetters } from "../../engine/ports/dead-letters.ts";
import type { Advance, OwnedPartition, ReadModel } from "../../engine/ports/read-model-store.ts";
import { lsn, offset, sequence, type Position } from "../../engine/position.ts";

/** A name that no other test has. */
export const freshName = (): string => `p-${randomUUID().slice(0, 8)}`;

export const seatColumns = { moduleCode: text(), held: integer() };

export const everyKind = {
  plainText: text(),
  wholeNumber: integer(),
  largeNumber: bigint(),
  ratio: double(),
  flag: boolean(),
  seenAt: timestamp(),
  details: json<unknown>(),
  maybeText: nullable(text()),
  maybeNumber: nullable(integer()),
  maybeLarge: nullable(bigint()),
  maybeRatio: nullable(double()),
  maybeFlag: nullable(boolean()),
  maybeSeenAt: nullable(timestamp()),
  maybeDetails: nullable(json<unknown>()),
};

export const topic = "seat-events";

export function readModel(over: Partial<ReadModel> = {}): ReadModel {
  return {
    projection: freshName(),
    version: 1,
    columns: seatColumns,
    indexes: [],
    topics: [{ name: topic, partitions: 4 }],
    ...over,
  };
}

/** A position `at` records into a lane. */
export const laneAt = (at: number): Position => ({
  logId: "log-1",
  nextOffset: offset(at),
  source: { kind: "lane", incarnation: "store-1", nextSequence: sequence(at + 1) },
});

export const changeAt = (at: number): Position => ({
  logId: "log-1",
  nextOffset: offset(at),
  source: { kind: "change", commitLsn: lsn(2n ** 40n + BigInt(at)), order: at },
});

export const offsetAt = (at: number): Position => ({
  logId: "log-1",
  nextOffset: offset(at),
  source: { kind: "offset" },
});

export function advance(owned: OwnedPartition, to: Position, over: Partial<Advance> = {}): Advance {
  return {
    topic: owned.topic,
    partition: owned.partition,
    epoch: owned.epoch,
    from: owned.position,
    to,
    records: 1,
    lastRecordedAtMs: 1_700_000_000_000 + Number(to.nextOffset),
    ...over,
  };
}

export const places = (...partitions: number[]) =>
  partitions.map((partition) => ({ topic, partition }));

export function deadLetter(consumer: string, over: Partial<DeadLetter> = {}): DeadLetter {
  return {
    consumer,
    generation: 1,
    topic,
    partition: 0,
    offset: offset(7),
    source: { kind: "lane", incarnation: "store-1", sequence: sequence(8) },
    timestampMs: 1_700_000_000_000,
    key: Buffer.from("M1"),
    value: Buffer.from([0, 255, 1]),
    headers: [
      { name: "ce_id", value: Buffer.from("e1") },
      { name: "empty", value: null },
    ],
    disposition: "failed",
    cause: "decode",
    message: "It can't be read.",
    stack: undefined,
    ...over,
  };
}

/** Keys with open letters in a partition of the samples, as text. */
export async function parkedKeys(
  letters: Pick<DeadLetters, "parked">,
  consumer: string,
  partition = 0,
): Promise<Set<string | undefined>> {
  const found = await letters.parked({ consumer, generation: 1, topic, partition });
  return new Set(found.map(({ key }) => (key ? Buffer.from(key).toString("utf8") : undefined)));
}

/** The element, which the test knows is there. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`There is no element ${index} of ${items.length}.`);
  return item;
}

/** Rows of `everyKind` with the ends of every range. */
export function everyKindRows() {
  const none = {
    maybeText: null,
    maybeNumber: null,
    maybeLarge: null,
    maybeRatio: null,
    maybeFlag: null,
    maybeSeenAt: null,
    maybeDetails: null,
  };
  const low = {
    plainText: "",
    wholeNumber: -(2 ** 31),
    largeNumber: -(2n ** 63n),
    ratio: -0.1,
    flag: false,
    seenAt: -210_866_803_200_000,
    details: null,
  };
  const high = {
    plainText: 'ü€😀 "\\u0000" {},NULL',
    wholeNumber: 2 ** 31 - 1,
    largeNumber: 2n ** 63n - 1n,
    ratio: Number.MAX_VALUE,
    flag: true,
    seenAt: 1_700_000_000_123,
    details: { list: [1, "zwei", null, { deep: true }], text: "\\u0000" },
  };
  const some = {
    maybeText: "NULL",
    maybeNumber: 0,
    maybeLarge: 0n,
    maybeRatio: Number.NaN,
    maybeFlag: false,
    maybeSeenAt: -1,
    maybeDetails: [],
  };
  return [
    { ...low, ...none },
    { ...high, ...some },
    {
      ...high,
      ...none,
      ratio: Number.POSITIVE_INFINITY,
      details: "text",
      seenAt: 8_640_000_000_000_000,
    },
  ];
}
