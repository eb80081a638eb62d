import type { AddressInfo } from "node:net";

import { describe, expect, it } from "vitest";

import { encodePositionToken } from "../../engine/position-token.ts";
import { sequence } from "../../engine/position.ts";
import { serverOfTest } from "./server.ts";
import { EventReader } from "./streams.ts";

const reason = "the seats look wrong";

async function rebuildOf(projection = "seat-availability") {
  const server = await serverOfTest();
  const post = (url: string, payload: object) =>
    server.app.inject({ method: "POST", url, payload });
  const started = await post("/admin/rebuilds", { projection, reason });
  return { ...server, post, started, path: String(started.headers["location"]) };
}

describe("POST /admin/rebuilds", () => {
  it("answers 202 with the record and where it is found", async () => {
    const { app, started, path } = await rebuildOf();
    expect(started.statusCode).toBe(202);
    expect(started.json()).toMatchObject({
      id: "1",
      state: "planned",
      from: { kind: "earliest" },
      accept: false,
      lagBudgetMs: 2_000,
      keepMs: 3_600_000,
      by: "HTTP",
      reason,
      over: false,
    });
    const found = await app.inject({ url: path });
    expect(found.json()).toEqual(started.json());
  });

  it("refuses a second one of the same projection with the first one's id", async () => {
    const { post, path } = await rebuildOf();
    const second = await post("/admin/rebuilds", { projection: "seat-availability", reason });
    expect(second.statusCode).toBe(409);
    expect(second.headers["location"]).toBe(path);
    expect(second.json()).toMatchObject({ code: "rebuild-open", rebuild: "1" });
    const other = await post("/admin/rebuilds", { projection: "registrations", reason });
    expect(other.statusCode).toBe(202);
  });

  it.each([
    [{ projection: "seats", reason }, 404, "projection-unknown"],
    [{ projection: "registrations", reason, from: "yesterday" }, 400, "from-invalid"],
    [{ projection: "registrations", reason, from: "modules/1:x" }, 400, "from-invalid"],
    [{ projection: "registrations", reason, from: "2014-13-01" }, 400, "from-invalid"],
    [{ projection: "registrations" }, 400, "validation"],
    [{ projection: "registrations", reason: "" }, 400, "validation"],
    [{ projection: "registrations", reason, lagBudgetMs: 1 }, 400, "validation"],
    [{ projection: "registrations", reason, keepMs: -1 }, 400, "validation"],
    [{ projection: "registrations", reason, speed: 3 }, 400, "validation"],
  ])("refuses %j with %i %s", async (payload, status, code) => {
    const { app } = await serverOfTest();
    const answer = await app.inject({ method: "POST", url: "/admin/rebuilds", payload });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ code });
  });

  it("takes a time, a time ago, offsets and a position token", async () => {
    const { app, campus } = await serverOfTest();
    const token = encodePositionToken({
      incarnation: campus.incarnation,
      lanes: [{ topic: "modules", partition: 3, sequence: sequence(7n) }],
    });
    const fromOf = async (from: string) => {
      const url = "/admin/rebuilds";
      const payload = { projection: "registrations", reason, from };
      const answer = await app.inject({ method: "POST", url, payload });
      const { id } = answer.json<{ id: string }>();
      await app.inject({ method: "POST", url: `${url}/${id}/abandon`, payload: { reason } });
      await over(campus, BigInt(id));
      return answer.json<{ from: unknown }>().from;
    };
    expect(await fromOf("2014-02-01")).toEqual({ kind: "time", at: "2014-02-01T00:00:00.000Z" });
    const ago = (await fromOf("24h")) as { at: string };
    expect(Math.abs(Date.now() - 86_400_000 - Date.parse(ago.at))).toBeLessThan(60_000);
    const offsets = [{ topic: "modules", partition: 3, offset: "7" }];
    expect(await fromOf("modules/3:7")).toEqual({ kind: "positions", offsets });
    expect(await fromOf(token)).toEqual({ kind: "positions", offsets });
  });

  it("refuses the position token of another store", async () => {
    const { app } = await serverOfTest();
    const lanes = [{ topic: "modules", partition: 3, sequence: sequence(7n) }];
    const from = encodePositionToken({ incarnation: "another", lanes });
    const payload = { projection: "registrations", reason, from };
    const answer = await app.inject({ method: "POST", url: "/admin/rebuilds", payload });
    expect(answer.json()).toMatchObject({ code: "from-invalid" });
  });
});

/** What a conductor does about a rebuild that is given up. */
async function over(campus: Campus, id: bigint): Promise<void> {
  await campus.rebuilds.lead(id, "a worker", 10_000);
  await campus.rebuilds.change(id, "a worker", { state: "abandoned" });
}

type Campus = Awaited<ReturnType<typeof serverOfTest>>["campus"];

describe("acts on a rebuild", () => {
  it("are written down with who wants them and why", async () => {
    const { post, path } = await rebuildOf();
    const paused = await post(`${path}/pause`, { by: "the night shift", reason: "too busy" });
    expect(paused.statusCode).toBe(202);
    expect(paused.json()).toMatchObject({
      wish: "pause",
      asked: { wish: "pause", by: "the night shift", reason: "too busy" },
    });
    const resumed = await post(`${path}/resume`, { reason: "quiet now", accept: true });
    expect(resumed.json()).toMatchObject({ wish: "run", accept: true, asked: { by: "HTTP" } });
  });

  it.each(["pause", "resume", "abandon", "undo"])("need a reason: %s", async (act) => {
    const { post, path } = await rebuildOf();
    const answer = await post(`${path}/${act}`, {});
    expect(answer.json()).toMatchObject({ status: 400, code: "validation" });
  });

  it("are refused when the rebuild is over", async () => {
    const { campus, post, path } = await rebuildOf();
    await over(campus, 1n);
    for (const act of ["pause", "resume", "abandon", "undo"]) {
      const answer = await post(`${path}/${act}`, { reason });
      expect(answer.json()).toMatchObject({ status: 409, code: "rebuild-over" });
    }
  });

  it("are refused of a rebuild that isn't there", async () => {
    const { app, post } = await rebuildOf();
    const answer = await post("/admin/rebuilds/77/pause", { reason });
    expect(answer.json()).toMatchObject({ status: 404, code: "rebuild-unknown" });
    const found = await app.inject({ url: "/admin/rebuilds/77" });
    expect(found.json()).toMatchObject({ code: "rebuild-unknown" });
    const events = await app.inject({ url: "/admin/rebuilds/77/events" });
    expect(events.json()).toMatchObject({ code: "rebuild-unknown" });
  });
});

describe("GET /admin/rebuilds", () => {
  it("lists the newest first, of one projection where it is named", async () => {
    const { app, post } = await rebuildOf();
    await post("/admin/rebuilds", { projection: "registrations", reason });
    const idsOf = async (url: string) => {
      const answer = await app.inject({ url });
      return answer.json<{ rebuilds: { id: string }[] }>().rebuilds.map(({ id }) => id);
    };
    expect(await idsOf("/admin/rebuilds")).toEqual(["2", "1"]);
    expect(await idsOf("/admin/rebuilds?limit=1")).toEqual(["2"]);
    expect(await idsOf("/admin/rebuilds?projection=seat-availability")).toEqual(["1"]);
  });
});

describe("GET /admin/rebuilds/{id}/events", () => {
  async function streamOf() {
    const server = await rebuildOf();
    await server.app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = server.app.server.address() as AddressInfo;
    const reader = await EventReader.open(`http://127.0.0.1:${port}${server.path}/events`);
    const states = () =>
      reader.events
        .filter(({ event }) => event === "rebuild")
        .map(({ data }) => (data as { state: string }).state);
    return { ...server, reader, states };
  }

  it("tells the record at once, after each change, and why it ends", async () => {
    const { campus, reader, states } = await streamOf();
    await expect.poll(() => states()).toEqual(["planned"]);
    await campus.rebuilds.lead(1n, "a worker", 10_000);
    await campus.rebuilds.change(1n, "a worker", { state: "filling" });
    await expect.poll(() => states().at(-1)).toBe("filling");
    await campus.rebuilds.change(1n, "a worker", { state: "abandoned" });
    await expect.poll(() => reader.ended).toBe(true);
    expect(states().at(-1)).toBe("abandoned");
    expect(reader.events.at(-1)).toMatchObject({ event: "end", data: { code: "over" } });
  });

  it("ends when the server closes", async () => {
    const { app, reader, states } = await streamOf();
    await expect.poll(() => states()).toEqual(["planned"]);
    await app.close();
    await expect.poll(() => reader.ended).toBe(true);
    expect(reader.events.at(-1)).toMatchObject({ event: "end", data: { code: "draining" } });
  });
});
