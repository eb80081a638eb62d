import { expect, test } from "vitest";

import {
  placeAt,
  placeFault,
  publishedLsn,
  type ConnectorOffset,
  type SlotFacts,
} from "../../connectors/debezium/index.ts";
import { lsn } from "../../engine/position.ts";

const slot = (facts: Partial<SlotFacts>): SlotFacts => ({
  slot: "refold_events",
  database: "seats",
  plugin: "pgoutput",
  active: false,
  walStatus: "reserved",
  keptBytes: 0,
  confirmedLsn: 100,
  ...facts,
});

test.each([
  ["goes on where its slot has what follows", slot({}), 100, undefined],
  ["goes on where its slot is behind", slot({ confirmedLsn: 40 }), 100, undefined],
  ["has never run where Connect remembers nothing", slot({}), undefined, "never-ran"],
  ["has lost a slot that is gone", undefined, 100, "slot-missing"],
  ["has lost a slot that is invalidated", slot({ confirmedLsn: undefined }), 100, "slot-lost"],
  ["has lost a slot whose log is gone", slot({ walStatus: "lost" }), 100, "slot-lost"],
  ["finds a slot beyond it replaced", slot({ confirmedLsn: 101 }), 100, "slot-replaced"],
] as const)("a connector %s", (_what, found, published, fault) => {
  expect(placeFault(found, published)).toBe(fault);
});

/** Connect's memory of one connector. */
function memory(offsets: readonly ConnectorOffset[]) {
  let kept = offsets;
  return {
    offsets: async () => kept,
    setOffsets: async (_name: string, given: readonly ConnectorOffset[]) => void (kept = given),
  };
}

const connector = { name: "refold-catalogue", config: { "topic.prefix": "refold" } };

test("whole transactions are published up to the last commit, not up to what was read", async () => {
  const partition = { server: "refold" };
  const offset = { lsn_proc: 250, lsn: 260, lsn_commit: 200, txId: 7 };
  expect(await publishedLsn(memory([{ partition, offset }]), connector)).toBe(200);
  expect(await publishedLsn(memory([]), connector)).toBeUndefined();
});

test("a connector that is put somewhere goes on from there, under the server's name of its topics", async () => {
  const connect = memory([]);
  await placeAt(connect, connector, lsn(300));
  expect(await publishedLsn(connect, connector)).toBe(300);
  expect(await connect.offsets()).toMatchObject([{ partition: { server: "refold" } }]);
});
