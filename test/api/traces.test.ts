import { describe, expect, it } from "vitest";

import { serverOfTest } from "./server.ts";

async function get(url: string) {
  const { app } = await serverOfTest();
  const response = await app.inject(url);
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}

describe("GET /admin/traces/{id}", () => {
  it.each(["a", "code:a"])("tells the transaction that %s is part of", async (id) => {
    const { status, body } = await get(`/admin/traces/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      correlationIds: ["event-0", "event-1"],
      tags: ["code:a"],
      events: 2,
      cut: false,
      timeline: [
        { kind: "cause", text: "event-0", depth: 0 },
        {
          kind: "event",
          type: "test.Opened",
          depth: 1,
          sinceStartMs: 0,
          event: { code: "a", size: 3 },
          rows: [
            { projection: "tagged-board", key: "a", state: "applied" },
            { projection: "board", key: "a", state: "applied" },
          ],
        },
        { kind: "cause", text: "event-1" },
        { kind: "event", type: "test.Moved", sinceStartMs: 1_000 },
      ],
    });
  });

  it("tells no more events than are asked for, and that there are more", async () => {
    expect((await get("/admin/traces/a?eventsMax=1")).body).toMatchObject({ events: 1, cut: true });
  });

  it.each([
    ["an id that names nothing", "/admin/traces/nobody", 404, "trace-unknown"],
    ["no number", "/admin/traces/a?eventsMax=many", 400, "validation"],
    ["too many", "/admin/traces/a?eventsMax=5001", 400, "validation"],
    ["an id that is too long", `/admin/traces/${"x".repeat(201)}`, 400, "validation"],
  ])("refuses %s", async (_, url, status, code) => {
    expect(await get(url)).toMatchObject({ status, body: { code } });
  });
});

describe("GET /admin/why/{projection}/{key}", () => {
  it.each([
    ["tagged-board", "event store"],
    ["board", "log"],
  ])("tells what each event changed in a row of %s", async (projection, source) => {
    const { status, body } = await get(`/admin/why/${projection}/a`);
    expect(status).toBe(200);
    const row = { code: "a", size: 3, held: 2, moves: 1 };
    expect(body).toMatchObject({
      projection,
      key: "a",
      source,
      earlier: 0,
      steps: [
        { by: "Opened", applied: true, removes: false },
        {
          by: "Moved",
          changes: [
            { column: "held", before: 0, after: 2 },
            { column: "moves", before: 0, after: 1 },
          ],
        },
      ],
      row,
      stored: { row, expected: row, differs: false },
    });
  });

  it("tells the row of a time of the past", async () => {
    const { body } = await get("/admin/why/tagged-board/a?at=1970-01-01T00:00:01.500Z");
    expect(body).toMatchObject({ steps: [{ by: "Opened" }], row: { held: 0 } });
    expect(body).not.toHaveProperty("stored");
  });

  it.each([
    ["a projection that isn't there", "/admin/why/nothing/a", 404, "projection-unknown"],
    ["a key that no record has", "/admin/why/board/nobody", 404, "row-unknown"],
    ["a time that is none", "/admin/why/board/a?at=yesterday", 400, "at-invalid"],
    ["a time to come", "/admin/why/tagged-board/a?at=2999-01-01", 400, "at-in-future"],
    ["no steps", "/admin/why/board/a?stepsMax=0", 400, "validation"],
  ])("refuses %s", async (_, url, status, code) => {
    expect(await get(url)).toMatchObject({ status, body: { code } });
  });
});
