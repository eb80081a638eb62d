import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { ManualClock } from "../../engine/memory/clock.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import type { SeatAvailableChanged } from "../../schemas/index.ts";
import { serverOfTest } from "./server.ts";
import { EventReader } from "./streams.ts";

const module = "MA101";
/** The longest that a module's first window lasts at four updates a second. */
const firstWindowMs = 375;
const windowMs = 250;
/** At most so much later than its end a window is seen to be over. */
const lookMs = 10;

/** One open stream of either kind. */
interface Stream {
  readonly updates: () => readonly SeatAvailableChanged[];
  readonly lastId: () => string | undefined;
  readonly close: () => void;
}

type Open = (url: string, query: string) => Promise<Stream>;

const openEvents: Open = async (url, query) => {
  const reader = await EventReader.open(`${url}/registration-updates?${query}`);
  return {
    updates: () => reader.events.map(({ data }) => data as SeatAvailableChanged),
    lastId: () => reader.lastId,
    close: () => void reader.response.destroy(),
  };
};

const openSocket: Open = async (url, query) => {
  const address = `${url.replace("http", "ws")}/ws/registration-updates?${query}`;
  const socket = new WebSocket(address);
  onTestFinished(() => socket.terminate());
  const messages: { id: string; event: string; data: SeatAvailableChanged }[] = [];
  socket.on("message", (data: Buffer) => {
    messages.push(JSON.parse(data.toString("utf8")) as (typeof messages)[number]);
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  const isUpdate = ({ event }: { event: string }) => event === "SeatAvailableChanged";
  return {
    updates: () => messages.filter(isUpdate).map(({ data }) => data),
    lastId: () => messages.at(-1)?.id,
    close: () => socket.close(),
  };
};

/** A server whose time stands still, and whose feed has read whatever was published. */
async function standing(open: Open) {
  const clock = new ManualClock();
  const { app, campus } = await serverOfTest({ deps: { clock } });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const watcher = await openEvents(url, "");
  await expect.poll(() => watcher.lastId()).toBeDefined();
  const seats = (moduleCode: string, confirmed: number): SeatAvailableChanged => {
    const capacity = 1_000;
    const rest = { held: 0, available: capacity - confirmed, sourcePosition: "" };
    return { moduleCode, capacity, confirmed, ...rest };
  };
  let marks = 0;
  /** The next code that is in the same partition, so that it is read after what came before. */
  const mark = (): string => {
    do marks += 1;
    while (partitionOf(`mark-${marks}`, 10) !== partitionOf(module, 10));
    return `mark-${marks}`;
  };
  const publish = async (from: number, to: number) => {
    for (let count = from; count <= to; count += 1) await campus.publish(seats(module, count));
    const marked = mark();
    await campus.publish(seats(marked, 1));
    await expect
      .poll(() => watcher.updates().some(({ moduleCode }) => moduleCode === marked))
      .toBe(true);
  };
  const listen = async (query: string) => {
    const stream = await open(url, query);
    await expect.poll(() => stream.lastId()).toBeDefined();
    const told = () =>
      stream
        .updates()
        .filter(({ moduleCode }) => moduleCode === module)
        .map(({ confirmed }) => confirmed);
    return { ...stream, told };
  };
  return { clock, publish, listen };
}

describe.each([
  ["event stream", openEvents],
  ["WebSocket", openSocket],
])("the updates of a module on its %s", (_, open) => {
  it("are one at once, then the newest at the end of each window, the last one always", async () => {
    const { clock, publish, listen } = await standing(open);
    const stream = await listen(`module=${module}`);
    await publish(1, 10);
    await expect.poll(stream.told).toEqual([1]);
    clock.advance(firstWindowMs);
    await expect.poll(stream.told).toEqual([1, 10]);
    await publish(11, 15);
    clock.advance(windowMs - lookMs);
    await publish(16, 17);
    expect(stream.told()).toEqual([1, 10]);
    clock.advance(lookMs);
    await expect.poll(stream.told).toEqual([1, 10, 17]);
    clock.advance(windowMs);
    await publish(18, 18);
    await expect.poll(stream.told).toEqual([1, 10, 17, 18]);
  });

  it("go on after an id from the middle of a window without a loss or a repetition", async () => {
    const { clock, publish, listen } = await standing(open);
    const first = await listen(`module=${module}`);
    await publish(1, 5);
    await expect.poll(first.told).toEqual([1]);
    const id = first.lastId();
    first.close();
    const resumed = await listen(`module=${module}&after=${id}`);
    await publish(6, 6);
    // For who came again the window is the same as for all.
    expect(resumed.told()).toEqual([]);
    clock.advance(firstWindowMs);
    await expect.poll(resumed.told).toEqual([6]);
    await publish(7, 9);
    clock.advance(windowMs);
    await expect.poll(resumed.told).toEqual([6, 9]);
    const again = await listen(`module=${module}&after=${resumed.lastId()}`);
    await publish(10, 10);
    clock.advance(windowMs);
    await expect.poll(again.told).toEqual([10]);
  });

  it("are not lost behind the id of another module's update that was told before", async () => {
    const { clock, publish, listen } = await standing(open);
    const first = await listen("");
    await publish(1, 3);
    // The mark comes after them in the log, and is told while they wait.
    await expect.poll(() => first.updates().at(-1)?.moduleCode).toMatch("mark");
    expect(first.told()).toEqual([1]);
    const id = first.lastId();
    first.close();
    const resumed = await listen(`after=${id}`);
    clock.advance(firstWindowMs);
    await expect.poll(resumed.told).toEqual([3]);
  });
});
