import { describe, expect, it } from "vitest";

import { decodePositionToken, encodePositionToken } from "../../engine/position-token.ts";
import { sequence } from "../../engine/position.ts";
import { offerModule, withdrawModule } from "../../processors/catalogue/index.ts";
import { register, withdraw } from "../../processors/seats/index.ts";
import { row, serverOfTest } from "./server.ts";

const origin = { correlationId: "test" };
const availability = "/modules/MA101/availability";

async function offering() {
  const server = await serverOfTest();
  await server.campus.execute(offerModule(row), origin);
  return server;
}

const enrol = (studentId: string) => register({ moduleCode: "MA101", studentId });

describe("GET /modules", () => {
  const times = { opensAt: null, closesAt: Date.UTC(2026, 5, 1), updatedAt: 0 };
  const modules = ["A", "B", "C"].map((code) => ({
    code,
    title: `Module ${code}`,
    capacity: 3,
    feeCents: 0,
    ...times,
  }));

  it("pages through all modules by cursors", async () => {
    const { app, campus } = await serverOfTest();
    await campus.catalogue(...modules);
    const seen: string[] = [];
    let cursor = "";
    do {
      const query: Record<string, string> = cursor === "" ? { limit: "2" } : { limit: "2", cursor };
      const response = await app.inject({ url: "/modules", query });
      const page = response.json<{ modules: { moduleCode: string }[]; next: string | null }>();
      expect(page.modules.length).toBeLessThanOrEqual(2);
      seen.push(...page.modules.map(({ moduleCode }) => moduleCode));
      cursor = page.next ?? "";
    } while (cursor !== "");
    expect(seen).toEqual(["A", "B", "C"]);
  });

  it("gives one module with its times, and 404 for one that isn't there", async () => {
    const { app, campus } = await serverOfTest();
    await campus.catalogue(...modules);
    expect((await app.inject({ url: "/modules/B" })).json()).toEqual({
      moduleCode: "B",
      title: "Module B",
      capacity: 3,
      feeCents: 0,
      opensAt: null,
      closesAt: "2026-06-01T00:00:00.000Z",
      updatedAt: "1970-01-01T00:00:00.000Z",
    });
    const missing = await app.inject({ url: "/modules/Z" });
    expect(missing.statusCode).toBe(404);
    expect(missing.json()).toMatchObject({ code: "module-unknown" });
  });
});

describe("GET /modules/{code}/availability", () => {
  it("tells the seats, the position up to which that is true, and its age", async () => {
    const { app, campus } = await offering();
    await campus.execute(enrol("ada"), origin);
    const response = await app.inject({ url: availability });
    const body = response.json<{ position: string }>();
    expect(body).toEqual({
      moduleCode: "MA101",
      capacity: 2,
      held: 0,
      confirmed: 1,
      available: 1,
      position: body.position,
      ageMs: 12,
    });
    expect(decodePositionToken(body.position).lanes).toMatchObject([
      { topic: "module-events", sequence: 3n },
    ]);
  });

  it("answers 304 while the seats are the same as its tag says", async () => {
    const { app, campus } = await offering();
    const first = await app.inject({ url: availability });
    const ask = () =>
      app.inject({
        url: availability,
        headers: { "if-none-match": `"other", ${String(first.headers.etag)}` },
      });
    const same = await ask();
    expect(same.statusCode).toBe(304);
    expect(same.body).toBe("");
    expect(same.headers.etag).toBe(first.headers.etag);
    await campus.execute(enrol("ada"), origin);
    expect((await ask()).statusCode).toBe(200);
  });

  it("answers 404 for a module that was withdrawn", async () => {
    const { app, campus } = await offering();
    await campus.execute(withdrawModule({ moduleCode: "MA101" }), origin);
    const response = await app.inject({ url: availability });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: "module-unknown" });
  });

  it("tells the past as the events recorded until then say", async () => {
    const { app, campus } = await offering();
    const minutes = 60_000;
    const start = campus.history.nowMs;
    campus.history.nowMs += minutes;
    const { registrationId } = campus.history.must(enrol("ada"));
    campus.history.nowMs += minutes;
    campus.history.must(withdraw({ registrationId }));
    campus.history.nowMs += minutes;
    const at = async (ms: number) => {
      const query = { at: new Date(ms).toISOString() };
      const response = await app.inject({ url: availability, query });
      return response.json<{ confirmed?: number; code?: string }>();
    };
    expect(await at(start - 1)).toMatchObject({ code: "module-unknown" });
    expect(await at(start)).toMatchObject({ confirmed: 0, available: 2, ageMs: 0 });
    expect(await at(start + minutes)).toMatchObject({ confirmed: 1, available: 1 });
    expect(await at(start + 2 * minutes - 1)).toMatchObject({ confirmed: 1 });
    expect(await at(start + 2 * minutes)).toMatchObject({ confirmed: 0 });
    expect(await at(start + 3 * minutes)).toMatchObject({ code: "at-not-settled" });
    expect(await at(start + 4 * minutes)).toMatchObject({ code: "at-in-future" });
  });

  it.each(["yesterday", "2013", "2013-09-15T00:00:00", "2013-02-30T99:00:00Z"])(
    "refuses %s as a time",
    async (at) => {
      const { app } = await offering();
      const response = await app.inject({ url: availability, query: { at } });
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ code: "at-invalid" });
    },
  );
});

describe("registrations", () => {
  it("are found by id, by student and by module, cancelled ones too", async () => {
    const { app, campus } = await offering();
    const { registrationId } = campus.history.must(enrol("ada"));
    campus.history.nowMs += 1_000;
    campus.history.must(withdraw({ registrationId }));
    campus.history.must(enrol("ada"));
    campus.history.must(enrol("eve"));
    await campus.project();

    const one = await app.inject({ url: `/registrations/${registrationId}` });
    expect(one.json()).toMatchObject({
      status: "cancelled",
      reason: "WITHDRAWN",
      registeredAt: "2026-01-01T00:00:00.000Z",
      cancelledAt: "2026-01-01T00:00:01.000Z",
    });
    const idsAt = async (url: string) => {
      const body = (await app.inject({ url })).json<{ registrations: { studentId: string }[] }>();
      return body.registrations.map(({ studentId }) => studentId);
    };
    expect(await idsAt("/students/ada/registrations")).toEqual(["ada", "ada"]);
    expect(await idsAt("/modules/MA101/registrations")).toHaveLength(3);
    const seated = await idsAt("/modules/MA101/registrations?status=completed");
    expect(seated.sort()).toEqual(["ada", "eve"]);
    expect(await idsAt("/students/nobody/registrations")).toEqual([]);
  });

  it("are paged by cursors that belong to their own list", async () => {
    const { app, campus } = await serverOfTest();
    await campus.execute(offerModule({ ...row, capacity: 9 }), origin);
    for (let student = 0; student < 7; student += 1) campus.history.must(enrol(`s${student}`));
    await campus.project();
    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const query: Record<string, string> =
        cursor === null ? { limit: "3" } : { limit: "3", cursor };
      const response = await app.inject({ url: "/modules/MA101/registrations", query });
      const page = response.json<{
        registrations: { registrationId: string }[];
        next: string | null;
      }>();
      for (const { registrationId } of page.registrations) seen.add(registrationId);
      cursor = page.next;
      if (cursor !== null) {
        const other = await app.inject({ url: "/students/s1/registrations", query: { cursor } });
        expect(other.json()).toMatchObject({ code: "cursor-invalid" });
      }
    } while (cursor !== null);
    expect(seen.size).toBe(7);
  });

  it("answer 404 for an id that isn't there", async () => {
    const { app } = await serverOfTest();
    const response = await app.inject({ url: "/registrations/none" });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: "registration-unknown" });
  });
});

describe("Refold-Wait-For", () => {
  async function frozen() {
    const server = await offering();
    server.campus.frozen = true;
    const response = await server.app.inject({
      method: "POST",
      url: "/registrations",
      payload: { moduleCode: "MA101", studentId: "ada" },
    });
    const token = String(response.headers["refold-position"]);
    const ask = (waitFor: string, url = availability) =>
      server.app.inject({ url, headers: { "refold-wait-for": waitFor } });
    return { ...server, token, ask };
  }

  it("lets a query wait until its read model has what the command wrote", async () => {
    const { campus, token, ask } = await frozen();
    const waiting = [ask(token), ask(token, "/students/ada/registrations")];
    await campus.project();
    const [seats, list] = await Promise.all(waiting);
    expect(seats?.json()).toMatchObject({ confirmed: 1 });
    expect(list?.json()).toMatchObject({ registrations: [{ studentId: "ada" }] });
  });

  it("answers 503 when the time is up", async () => {
    const { token, ask } = await frozen();
    const response = await ask(token);
    expect(response.statusCode).toBe(503);
    expect(response.headers["retry-after"]).toBe("1");
    expect(response.json()).toMatchObject({ code: "behind" });
  });

  it("leaves lanes out that the read model doesn't read", async () => {
    const { ask, campus } = await frozen();
    const lanes = [{ topic: "payment-events", partition: 3, sequence: sequence(99) }];
    const token = encodePositionToken({ incarnation: campus.incarnation, lanes });
    expect((await ask(token)).statusCode).toBe(200);
    expect((await ask(token, "/modules")).statusCode).toBe(200);
  });

  it("refuses what this store never gave", async () => {
    const { ask } = await frozen();
    const other = encodePositionToken({ incarnation: "another", lanes: [] });
    for (const token of ["garbage", "%%%", other]) {
      const response = await ask(token);
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ code: "wait-for-invalid" });
    }
  });

  it("serves what can be served at once to those who don't wait", async () => {
    const { app } = await frozen();
    expect((await app.inject({ url: availability })).json()).toMatchObject({ confirmed: 0 });
  });
});
