import { connect } from "node:net";

import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import type { ApiOptions } from "../../api/index.ts";
import { TransientError } from "../../engine/errors.ts";
import type { ReadOptions, RecordLog } from "../../engine/ports/record-log.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import { encodePositionToken } from "../../engine/position-token.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { register } from "../../processors/seats/index.ts";
import { type Given, row, serverOfTest } from "./server.ts";
import { EventReader } from "./streams.ts";

const origin = { correlationId: "test" };
const roomy = { ...row, capacity: 1_000_000 };

async function listening(options: Partial<ApiOptions> = {}, before?: Given["before"]) {
  const given = before === undefined ? { options } : { options, before };
  const { app, campus } = await serverOfTest(given);
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const offer = (moduleCode: string) =>
    campus.execute(offerModule({ ...roomy, moduleCode }), origin);
  let students = 0;
  const enrol = (moduleCode: string) =>
    campus.execute(register({ moduleCode, studentId: `s${(students += 1)}` }), origin);
  const sse = (query = "", headers = {}) =>
    EventReader.open(`${url}/registration-updates${query}`, headers);
  return { app, campus, url, offer, enrol, sse };
}

/** The number of confirmed seats that each update tells, in order. */
const confirmed = (reader: EventReader): unknown[] =>
  reader.events.map(({ data }) => (data as { confirmed?: number }).confirmed);

describe("GET /registration-updates", () => {
  it("sends each change of seats as it happens, with the position of its source", async () => {
    const { offer, enrol, sse, campus } = await listening();
    const reader = await sse();
    expect(reader.response.headers["content-type"]).toContain("text/event-stream");
    await offer("MA101");
    await enrol("MA101");
    await expect.poll(() => reader.events).toHaveLength(2);
    const partition = partitionOf("MA101", 10);
    const lane = { topic: "module-events", partition, sequence: 3n as never };
    expect(reader.events[1]).toMatchObject({
      event: "SeatAvailableChanged",
      data: {
        moduleCode: "MA101",
        capacity: 1_000_000,
        held: 0,
        confirmed: 1,
        available: 999_999,
        sourcePosition: encodePositionToken({ incarnation: campus.incarnation, lanes: [lane] }),
      },
    });
  });

  it("sends one module's changes to those who ask for one", async () => {
    const { offer, enrol, sse } = await listening();
    const reader = await sse("?module=PH101");
    for (const code of ["MA101", "PH101"]) await offer(code);
    for (const code of ["MA101", "PH101", "MA101"]) await enrol(code);
    await expect.poll(() => reader.events).toHaveLength(2);
    expect(reader.events.map(({ data }) => data)).toMatchObject([
      { moduleCode: "PH101", confirmed: 0 },
      { moduleCode: "PH101", confirmed: 1 },
    ]);
  });

  it("goes on after Last-Event-ID without a loss or a repetition, over several partitions", async () => {
    const { offer, enrol, sse } = await listening();
    const codes = ["MA101", "PH101", "CH101", "BI101"];
    for (const code of codes) await offer(code);
    const first = await sse();
    await expect.poll(() => first.lastId).toBeDefined();
    for (const code of codes) await enrol(code);
    await expect.poll(() => first.events).toHaveLength(4);
    first.response.destroy();

    for (const code of codes) await enrol(code);
    const resumed = await sse("", { "last-event-id": String(first.events[2]?.id) });
    await enrol("MA101");
    const told = (code: string): unknown[] =>
      resumed.events
        .map(({ data }) => data as { moduleCode: string; confirmed: number })
        .filter(({ moduleCode }) => moduleCode === code)
        .map((seats) => seats.confirmed);
    await expect.poll(() => told("MA101").at(-1)).toBe(3);
    await expect.poll(() => codes.slice(1).map(told)).toEqual([[2], [2], [2]]);
    // The newest of what was missed, unless what came meanwhile was told in its place.
    expect(["2,3", "3"]).toContain(told("MA101").join());
  });

  it("goes on from the id that it got before any update", async () => {
    const { offer, enrol, sse } = await listening();
    const first = await sse();
    await expect.poll(() => first.lastId).toBeDefined();
    first.response.destroy();
    await offer("MA101");
    await enrol("MA101");
    const resumed = await sse("", { "last-event-id": String(first.lastId) });
    await expect.poll(() => confirmed(resumed)).toEqual([1]);
  });

  it("passes a notice once that the log holds twice, live and when resumed", async () => {
    const { campus, offer, enrol, sse } = await listening();
    const reader = await sse();
    await expect.poll(() => reader.lastId).toBeDefined();
    const start = String(reader.lastId);
    await offer("MA101");
    await enrol("MA101");
    await expect.poll(() => reader.events).toHaveLength(2);
    await campus.publish(reader.events[0]?.data as never, { sequence: 1 });
    await campus.publish(reader.events[1]?.data as never, { sequence: 2 });
    await enrol("MA101");
    await expect.poll(() => reader.events).toHaveLength(3);
    const resumed = await sse("", { "last-event-id": start });
    await expect.poll(() => confirmed(resumed)).toEqual([2]);
    const middle = await sse("", { "last-event-id": String(reader.events[1]?.id) });
    await expect.poll(() => confirmed(middle)).toEqual([2]);
    expect(confirmed(reader)).toEqual([0, 1, 2]);
  });

  it("tells by a reset that more was missed than it replays", async () => {
    const { offer, enrol, sse } = await listening({ replayMax: 3 });
    await offer("MA101");
    const first = await sse();
    await expect.poll(() => first.lastId).toBeDefined();
    for (let count = 0; count < 5; count += 1) await enrol("MA101");
    const resumed = await sse("", { "last-event-id": String(first.lastId) });
    await expect.poll(() => resumed.events).toHaveLength(1);
    expect(resumed.events[0]?.event).toBe("reset");
    await enrol("MA101");
    await expect.poll(() => resumed.events).toHaveLength(2);
    expect(resumed.events[1]?.data).toMatchObject({ confirmed: 6 });
  });

  it("tells by a reset that the store has begun another life", async () => {
    const { offer, sse } = await listening();
    const live = await sse();
    await offer("MA101");
    await expect.poll(() => live.events).toHaveLength(1);
    const id = encodePositionToken({ incarnation: "another", lanes: [] });
    const reader = await sse("", { "last-event-id": id });
    await expect.poll(() => reader.events).toMatchObject([{ event: "reset" }]);
  });

  it("gives signs of life", async () => {
    const { sse } = await listening({ heartbeatMs: 5 });
    const reader = await sse();
    await expect.poll(() => reader.comments).toBeGreaterThan(2);
    expect(reader.events).toEqual([]);
  });

  it("refuses an id that it never gave, an empty module, and more streams than it may hold", async () => {
    const { sse } = await listening({ listenersMax: 1 });
    const statusOf = async (query: string, headers = {}) =>
      (await sse(query, headers)).response.statusCode;
    expect(await statusOf("", { "last-event-id": "garbage" })).toBe(400);
    expect(await statusOf("?module=")).toBe(400);
    expect(await statusOf("")).toBe(200);
    expect(await statusOf("")).toBe(503);
  });

  it("gives the place of a stream that ended to the next one", async () => {
    const { sse } = await listening({ listenersMax: 1 });
    const first = await sse();
    first.response.destroy();
    await expect.poll(async () => (await sse()).response.statusCode).toBe(200);
  });

  it("drops a reader that takes nothing, and leaves the others alone", async () => {
    const { app, url, campus, offer, sse } = await listening({ listenerBytesMax: 262_144 });
    await offer("MA101");
    const { port } = new URL(url);
    const slow = connect(Number(port), "127.0.0.1");
    slow.on("error", () => undefined);
    slow.pause();
    const request = "GET /registration-updates HTTP/1.1\r\nhost: x\r\n\r\n";
    await new Promise((resolve) => slow.write(request, resolve));
    onTestFinished(() => void slow.destroy());
    const quick = await sse();
    await expect.poll(() => quick.lastId).toBeDefined();
    // Fills what the kernel buffers for a socket, then what the server may.
    const long = "x".repeat(6_000);
    const event = { capacity: 1, held: 0, confirmed: 0, available: 1, sourcePosition: long };
    for (let count = 0; count < 2_000; count += 1) {
      // Each of another module: those of one would be merged.
      await campus.publish({ moduleCode: `M-${count}`, ...event });
    }
    await expect.poll(() => quick.events.length, { timeout: 5_000 }).toBe(2_000);
    // The server's side tells: what the kernel holds for the slow one may take its time to arrive.
    const connections = (): Promise<number> =>
      new Promise((resolve, reject) => {
        app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      });
    await expect.poll(connections, { timeout: 5_000 }).toBe(1);
    expect(quick.ended).toBe(false);
  });

  it("is told before the server closes, and doesn't keep it from closing", async () => {
    const { app, sse } = await listening();
    const reader = await sse();
    await expect.poll(() => reader.lastId).toBeDefined();
    await app.close();
    await expect.poll(() => reader.ended).toBe(true);
    expect(reader.events).toMatchObject([{ event: "end", data: { code: "draining" } }]);
  });

  it("goes on with what came while the log could not be read", async () => {
    let flaky: FlakyLog | undefined;
    const before = (log: RecordLog) => (flaky = new FlakyLog(log));
    const { app, offer, enrol, sse } = await listening({}, before);
    const reader = await sse();
    await offer("MA101");
    await expect.poll(() => confirmed(reader)).toEqual([0]);
    if (flaky !== undefined) flaky.down = true;
    await enrol("MA101");
    await expect
      .poll(async () => (await app.inject({ url: "/readyz" })).body)
      .toContain("unreachable");
    await enrol("MA101");
    if (flaky !== undefined) flaky.down = false;
    // Both are read at once: the first may be merged with the second.
    await expect.poll(() => confirmed(reader).at(-1), { timeout: 3_000 }).toBe(2);
    expect(["0,2", "0,1,2"]).toContain(confirmed(reader).join());
    await expect.poll(async () => (await app.inject({ url: "/readyz" })).statusCode).toBe(200);
  });
});

/** A log in front of a campus' own, whose reads fail while `down` is set. */
class FlakyLog implements Pick<RecordLog, "bounds" | "read"> {
  down = false;
  readonly #inner: RecordLog;

  constructor(inner: RecordLog) {
    this.#inner = inner;
  }

  #reachable(): RecordLog {
    if (this.down) throw new TransientError("unreachable", "The log is unreachable.");
    return this.#inner;
  }

  async bounds(topic: string) {
    return this.#reachable().bounds(topic);
  }

  async *read(options: ReadOptions) {
    for await (const fetch of this.#reachable().read(options)) {
      this.#reachable();
      yield fetch;
    }
  }
}

describe("GET /ws/registration-updates", () => {
  async function socketTo(url: string, query = "") {
    const address = `${url.replace("http", "ws")}/ws/registration-updates${query}`;
    const socket = new WebSocket(address);
    onTestFinished(() => socket.terminate());
    const messages: { id: string; event: string; data: unknown }[] = [];
    socket.on("message", (data: Buffer) => {
      messages.push(JSON.parse(data.toString("utf8")) as (typeof messages)[number]);
    });
    const closed = new Promise<string>((resolve) => {
      socket.once("close", (code, reason) => resolve(`${code} ${reason.toString("utf8")}`));
    });
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return { socket, messages, closed };
  }

  it("sends what the event stream sends, and resumes by ?after=", async () => {
    const { url, offer, enrol } = await listening();
    const first = await socketTo(url, "?module=MA101");
    await offer("MA101");
    await enrol("MA101");
    await expect
      .poll(() => first.messages.map(({ event }) => event))
      .toEqual(["hello", "SeatAvailableChanged", "SeatAvailableChanged"]);
    const second = await socketTo(url, `?after=${String(first.messages[1]?.id)}`);
    await expect
      .poll(() => second.messages)
      .toMatchObject([
        { event: "hello" },
        { event: "SeatAvailableChanged", data: { moduleCode: "MA101", confirmed: 1 } },
      ]);
  });

  it("refuses an id that was never given before it opens", async () => {
    const { url } = await listening();
    await expect(socketTo(url, "?after=garbage")).rejects.toThrow("400");
  });

  it("answers plain HTTP with 426", async () => {
    const { app } = await listening();
    const response = await app.inject({ url: "/ws/registration-updates" });
    expect(response.statusCode).toBe(426);
    expect(response.json()).toMatchObject({ code: "upgrade-required" });
  });

  it("is told why it is closed when the server closes", async () => {
    const { app, url } = await listening();
    const { closed, messages } = await socketTo(url);
    await expect.poll(() => messages).toHaveLength(1);
    await app.close();
    expect(await closed).toBe("1001 draining: the server is closing");
  });

  it("is told why it is closed when it reads too slowly", async () => {
    const limits = { listenerBytesMax: 4_096, streamEndMs: 5_000 };
    const { campus, url, sse } = await listening(limits);
    const { socket, closed, messages } = await socketTo(url);
    await expect.poll(() => messages).toHaveLength(1);
    socket.pause();
    // More than the kernel buffers for a socket.
    const count = 300;
    const last = await sse(`?module=M-${count - 1}`);
    const event = { capacity: 1, held: 0, confirmed: 0, available: 1 };
    for (let at = 0; at < count; at += 1) {
      const sourcePosition = "x".repeat(60_000);
      await campus.publish({ moduleCode: `M-${at}`, ...event, sourcePosition });
    }
    await expect.poll(() => last.events).toHaveLength(1);
    socket.resume();
    expect(await closed).toMatch(/^1013 slow-reader/);
  });
});
