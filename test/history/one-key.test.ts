import { expect, test } from "vitest";

import type { HistorySource } from "../../engine/history/source.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { EventCodec } from "../../engine/ports/codec.ts";
import { happened } from "../../engine/testing/given.ts";
import { board, Closed, Moved, Opened, tally } from "../engine/seats.ts";
import { PastWorld, renamedBoard } from "./past-world.ts";

const keys = Array.from({ length: 40 }, (_, at) => `code-${at}`);

async function busy(): Promise<PastWorld> {
  const world = await PastWorld.open();
  await world.happen(...keys.map((code) => happened(Opened, { code, size: 3 })));
  await world.happen(...keys.map((code) => happened(Moved, { code, by: 1 })));
  await world.happen(happened(Closed, { code: "code-8" }));
  await world.publish();
  world.clock.advance(1_000);
  await world.happen(...keys.map((code) => happened(Opened, { code, size: 5 })));
  await world.publish();
  // Longer ago than anything is on its way to a topic without events.
  world.clock.advance(10_000);
  return world;
}

/** The world's codec, which counts what it decodes. */
function counting(codec: EventCodec) {
  const count = { decoded: 0 };
  const counted: Pick<EventCodec, "events"> = {
    events: (types) => {
      const reader = codec.events(types);
      const told = (decoder: ReturnType<typeof reader.known>) =>
        decoder && {
          ...decoder,
          decode: (...args: Parameters<typeof decoder.decode>) => {
            count.decoded += 1;
            return decoder.decode(...args);
          },
        };
      return {
        known: (id) => told(reader.known(id)),
        learn: async (id) => told(await reader.learn(id)) as NonNullable<ReturnType<typeof told>>,
      };
    },
  };
  const whole = new Proxy(codec, {
    get: (target, name) => {
      const member: unknown = name === "events" ? counted.events : Reflect.get(target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
  return { count, codec: whole };
}

test("a row whose key is its records' key is told without decoding records of other keys", async () => {
  const world = await busy();
  const { count, codec } = counting(world.codec);
  using past = world.history({ codec });
  for (const key of keys) {
    const { row } = await past.rowAsOf(board.name, key, 1_500);
    expect(row).toEqual(world.rowsAt(board, 1_500)[key]);
  }
  expect(count.decoded).toBe(2 * keys.length + 1);
  expect((await past.rowAsOf(tally.name, "code-3", 1_500)).row).toMatchObject({ moved: 1 });
  count.decoded = 0;
  const { row } = await past.rowAsOf(renamedBoard.name, "row of code-3", 1_500);
  expect(row).toMatchObject({ code: "code-3", moves: 1 });
  expect(count.decoded).toBe(2 * keys.length + 1);
});

test("only the row's own partition is asked where it was at the time", async () => {
  const world = await busy();
  const { log } = world;
  const asked: (ReadonlySet<number> | undefined)[] = [];
  const spied: HistorySource["log"] = {
    topics: () => log.topics(),
    bounds: (topic) => log.bounds(topic),
    read: (options) => log.read(options),
    offsetsAt: (topic, timestampMs, partitions) => {
      asked.push(partitions);
      return log.offsetsAt(topic, timestampMs, partitions);
    },
  };
  using past = world.history({ log: spied });
  expect((await past.rowAsOf(board.name, "code-3", 1_500)).row).toMatchObject({ moves: 1 });
  expect(asked).toEqual([new Set([partitionOf("code-3", 4)])]);
  expect((await past.rowAsOf(renamedBoard.name, "row of code-3", 1_500)).row).toBeDefined();
  expect(asked.at(-1)).toBeUndefined();
});
