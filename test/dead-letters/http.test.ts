import { describe, expect, test } from "vitest";

import { serverOfTest } from "../api/server.ts";

const fold = { reason: "The fold is mended.", by: "ann" } as const;

async function world() {
  const { app, letters } = await serverOfTest();
  const waiting = { disposition: "waiting", cause: "waiting", stack: undefined } as const;
  letters.store.add([
    letters.capacity("MA101", 50),
    letters.capacity("MA101", 55, waiting),
    letters.capacity("CS101", 7),
  ]);
  const unknown = Buffer.from([0, 0, 0, 3, 9, 1]);
  letters.store.add([letters.capacity("CS102", 9, { value: unknown, cause: "schema-unknown" })]);
  const ask = async (method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown) => {
    const url = `/admin/dead-letters${path}`;
    const payload = body === undefined ? {} : { payload: body as Record<string, unknown> };
    const response = await app.inject({ method, url, ...payload });
    const headers = response.headers;
    return { status: response.statusCode, body: response.json<Record<string, unknown>>(), headers };
  };
  return { app, letters, ask };
}

describe("dead letters over HTTP", () => {
  test("are grouped by fault, listed in pages, and filtered", async () => {
    const { ask } = await world();
    const groups = await ask("GET", "/groups");
    expect(groups.body["groups"]).toMatchObject([
      { cause: "fold", letters: 2, keys: 2, waiting: 1, example: { id: "1" } },
      { cause: "schema-unknown", letters: 1, schemaId: 777 },
    ]);
    const page = await ask("GET", "?limit=2");
    expect(page.body).toMatchObject({ letters: [{ id: "1" }, { id: "2" }], next: "2" });
    const next = await ask("GET", "?limit=2&after=2");
    expect(next.body).toMatchObject({ letters: [{ id: "3" }, { id: "4" }], next: "4" });
    const ids = async (query: string) => {
      const { body } = await ask("GET", `?${query}`);
      return (body["letters"] as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids("state=failed&key=MA101")).toEqual(["1"]);
    expect(await ids("correlation=c-CS101")).toEqual(["3"]);
    expect(await ids("cause=schema-unknown&consumer=seat-availability")).toEqual(["4"]);
    expect(await ids("from=2026-11-21T10:00:00Z")).toEqual([]);
    expect(await ids("state=redriven")).toEqual([]);
  });

  test("are told whole, decoded and raw, with what waits behind them", async () => {
    const { ask } = await world();
    const { status, body } = await ask("GET", "/1");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      consumer: "seat-availability",
      source: { kind: "lane", incarnation: "i-1", sequence: "1" },
      correlationId: "c-MA101",
      causationId: "cause-1",
      stack: "RangeError: Too many seats.\n  at fold",
      value: { decoded: { moduleCode: "MA101", capacity: 50 } },
      edit: null,
      waitingBehind: 1,
      acts: [],
    });
    const raw = await ask("GET", "/4");
    expect(raw.body["value"]).toEqual({
      bytes: Buffer.from([0, 0, 0, 3, 9, 1]).toString("base64"),
      fault: "the registry has no schema 777",
    });
    expect(await ask("GET", "/99")).toMatchObject({
      status: 404,
      body: { code: "letter-unknown" },
    });
  });

  test("are ordered to be redriven with who and why, or only surveyed", async () => {
    const { ask, letters } = await world();
    const dry = { letters: { cause: "fold" }, ...fold, dryRun: true, lettersPerSecond: 2 };
    const survey = await ask("POST", "/redrive", dry);
    expect(survey).toMatchObject({
      status: 200,
      body: {
        letters: 2,
        keys: 2,
        waiting: 1,
        seconds: 2,
        first: [{ key: "MA101", waiting: 1 }, {}],
        trial: { tried: 3, wouldWork: 3, wouldFail: 0, untried: 0, more: false, faults: [] },
      },
    });
    const all = await ask("POST", "/redrive", { letters: { all: true }, ...fold, dryRun: true });
    expect(all.body["trial"]).toMatchObject({
      tried: 4,
      wouldFail: 1,
      faults: [{ id: "4", cause: "schema-unknown" }],
    });
    const left = await ask("POST", "/discard", { letters: { all: true }, ...fold, dryRun: true });
    expect(left.body).not.toHaveProperty("trial");
    expect(await letters.store.orders(1)).toEqual([]);
    const { dryRun: _, ...order } = dry;
    const ordered = await ask("POST", "/redrive", order);
    expect(ordered).toMatchObject({
      status: 202,
      headers: { location: "/admin/dead-letters/orders/1" },
      body: { action: "redrive", ...fold, matched: 2, asked: 1, state: "open", done: false },
    });
    expect((await ask("GET", "/1")).body).toMatchObject({
      asked: "redrive",
      acts: [{ act: "redrive", ...fold, order: "1" }],
    });
    const stopped = await ask("DELETE", "/orders/1");
    expect(stopped).toMatchObject({ status: 200, body: { state: "stopped", stoppedBy: "HTTP" } });
    const again = await ask("DELETE", "/orders/1");
    expect(again).toMatchObject({ status: 409, body: { code: "letter-order-over" } });
    expect((await ask("GET", "/orders")).body).toMatchObject({ orders: [{ id: "1" }] });
  });

  test("are ordered to be discarded one by one, and those that wait are refused by name", async () => {
    const { ask } = await world();
    const one = { letters: { id: "2" }, ...fold };
    expect(await ask("POST", "/discard", one)).toMatchObject({
      status: 409,
      body: { code: "letter-waiting", behind: "1" },
    });
    const all = await ask("POST", "/discard", {
      ...fold,
      letters: { all: true },
      withParked: true,
    });
    expect(all.body).toMatchObject({ action: "discard-with-parked", asked: 3, unanswered: 3 });
  });

  test("take another value that fits its schema, and keep the original beside it", async () => {
    const { ask } = await world();
    const value = { moduleCode: "MA101", capacity: 51 };
    const edited = await ask("PUT", "/1/value", { value, ...fold });
    expect(edited).toMatchObject({
      status: 200,
      body: {
        edited: true,
        value: { decoded: { capacity: 50 } },
        edit: { ...fold, value: { decoded: value } },
        acts: [{ act: "edit", ...fold }],
      },
    });
    // The record's own schema is unknown: the newest of its type takes its place.
    const other = { moduleCode: "CS102", capacity: 9 };
    expect((await ask("PUT", "/4/value", { value: other, ...fold })).body).toMatchObject({
      edit: { value: { decoded: other } },
    });
  });

  test.each([
    [
      { value: { moduleCode: "MA101", capacity: "many" } },
      "letter-value-invalid",
      "/value/capacity",
    ],
    [{ value: { moduleCode: "MA101" } }, "letter-value-invalid", "/value/capacity"],
    [{ value: { moduleCode: "MA101", capacity: 1, by: 2 } }, "letter-value-invalid", "/value/by"],
    [{ value: { moduleCode: "CS101", capacity: 1 } }, "letter-value-invalid", "/value/moduleCode"],
    [{ value: null }, "letter-value-invalid", "/value"],
    [{ value: {}, schema: 999 }, "letter-schema-unknown", undefined],
  ])("refuse the value %j with its place", async (body, code, at) => {
    const { ask } = await world();
    const refused = await ask("PUT", "/1/value", { ...body, ...fold });
    expect(refused).toMatchObject({ status: 422, body: { code } });
    if (at !== undefined) expect(refused.body["errors"]).toMatchObject([{ at }]);
    expect((await ask("GET", "/1")).body).toMatchObject({ edit: null, acts: [] });
  });

  test("are not edited while they wait, or are about to be taken up", async () => {
    const { ask } = await world();
    const value = { moduleCode: "MA101", capacity: 51 };
    const waits = await ask("PUT", "/2/value", { value, ...fold });
    expect(waits).toMatchObject({ status: 409, body: { code: "letter-waiting" } });
    await ask("POST", "/redrive", { letters: { id: "1" }, ...fold });
    const asked = await ask("PUT", "/1/value", { value, ...fold });
    expect(asked).toMatchObject({ status: 409, body: { code: "letter-asked" } });
  });

  test.each([
    ["GET", "/0x1", undefined, 400],
    ["GET", "/9999999999999999999", undefined, 400],
    ["GET", "?limit=0", undefined, 400],
    ["GET", "?state=lost", undefined, 400],
    ["GET", "?from=yesterday", undefined, 400],
    ["GET", "?after=-1", undefined, 400],
    ["GET", "/groups?key=", undefined, 400],
    ["POST", "/redrive", { letters: {}, ...fold }, 400],
    ["POST", "/redrive", { letters: { all: true } }, 400],
    ["POST", "/redrive", { letters: { all: false }, ...fold }, 400],
    ["POST", "/redrive", { letters: { all: true, colour: "red" }, ...fold }, 400],
    ["POST", "/redrive", { letters: { all: true }, ...fold, lettersPerSecond: 0 }, 400],
    ["POST", "/redrive", { letters: { all: true }, ...fold, withParked: true }, 400],
    ["POST", "/discard", { letters: { id: "77" }, ...fold }, 404],
    ["DELETE", "/orders/12", undefined, 404],
    ["PUT", "/77/value", { value: {}, ...fold }, 404],
    ["PUT", "/1/value", { value: {} }, 400],
    ["PUT", "/1/value", { value: {}, schema: "newest", ...fold }, 400],
  ] as const)("%s %s %j is refused, and nothing is stored", async (method, path, body, status) => {
    const { ask, letters } = await world();
    expect(await ask(method, path, body)).toMatchObject({ status });
    expect(await letters.store.orders(1)).toEqual([]);
    expect(await letters.store.asked(1)).toEqual([]);
  });
});
