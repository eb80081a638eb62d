import { describe, expect, it } from "vitest";

import { fact } from "../../engine/decision/definition.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { EnrolmentReversed, EnrolmentStepFailed, LibraryCardIssued } from "../../schemas/index.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import { row, serverOfTest } from "./server.ts";

async function campusOfTwo() {
  const server = await serverOfTest();
  const { app, campus } = server;
  campus.history.must(offerModule(row));
  campus.history.must(offerModule({ ...row, moduleCode: "PH101" }));
  const enrol = (payload: unknown, headers: Record<string, string> = { "idempotency-key": "k" }) =>
    app.inject({ method: "POST", url: "/enrolments", payload: payload as object, headers });
  const resubmit = (id: string) =>
    app.inject({
      method: "POST",
      url: `/enrolments/${id}/resubmit`,
      headers: { "idempotency-key": "again" },
    });
  const find = (id: string) => app.inject({ url: `/enrolments/${id}` });
  return { ...server, enrol, resubmit, find };
}

const inBoth = { studentId: "ada", moduleCodes: ["MA101", "PH101"] };

describe("POST /enrolments", () => {
  it("answers 202 with where the enrolment's status is told", async () => {
    const { enrol, find } = await campusOfTwo();
    const response = await enrol(inBoth);
    expect(response.statusCode).toBe(202);
    const { enrolmentId } = response.json<{ enrolmentId: string }>();
    const statusUrl = `/enrolments/${enrolmentId}`;
    expect(response.json()).toEqual({ enrolmentId, attempt: 1, statusUrl });
    expect(response.headers.location).toBe(statusUrl);
    const found = await find(enrolmentId);
    expect(found.json()).toMatchObject({ ...inBoth, enrolmentId, attempt: 1, status: "running" });
    const names = found.json<{ steps: { name: string }[] }>().steps.map(({ name }) => name);
    expect(names).toEqual([
      "reserve/MA101",
      "reserve/PH101",
      "payment",
      "confirm/MA101",
      "confirm/PH101",
    ]);
  });

  it("is not taken without a key, and nothing is stored", async () => {
    const { campus, enrol } = await campusOfTwo();
    const before = campus.history.facts.length;
    const response = await enrol(inBoth, {});
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: "idempotency-key-missing" });
    expect(campus.history.facts).toHaveLength(before);
  });

  it.each([
    ["no module", [], 422, "enrolment-modules-invalid"],
    ["a module twice", ["MA101", "MA101"], 422, "enrolment-modules-invalid"],
    [
      "too many modules",
      Array.from({ length: 11 }, (_, n) => `M${n}`),
      422,
      "enrolment-modules-invalid",
    ],
    ["a module that is not on offer", ["MA101", "XX"], 404, "module-unknown"],
    ["an empty code", [""], 400, "validation"],
    ["a text for a list", "MA101", 400, "validation"],
  ] as const)("refuses %s, and stores nothing", async (_, moduleCodes, status, code) => {
    const { campus, enrol } = await campusOfTwo();
    const before = campus.history.facts.length;
    const response = await enrol({ studentId: "ada", moduleCodes });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code });
    expect(campus.history.facts).toHaveLength(before);
  });
});

describe("POST /enrolments/{id}/resubmit", () => {
  it("begins another attempt of one that was reversed, and tells its reason until then", async () => {
    const { campus, enrol, resubmit, find } = await campusOfTwo();
    const { enrolmentId } = (await enrol(inBoth)).json<{ enrolmentId: string }>();
    const of = { enrolmentId, studentId: "ada", attempt: 1 };
    const why = { reason: "module-full", detail: "All 2 seats of PH101 are taken." };
    campus.history.record([
      fact(enrolmentEvents, EnrolmentStepFailed, { ...of, step: "reserve/PH101", ...why }),
      fact(enrolmentEvents, EnrolmentReversed, { ...of, reason: "module-full" }),
    ]);
    await campus.project();
    const reversed = (await find(enrolmentId)).json<{ status: string; steps: object[] }>();
    expect(reversed).toMatchObject({ status: "reversed", reason: "module-full" });
    expect(reversed.steps[1]).toMatchObject({ name: "reserve/PH101", state: "failed", ...why });
    const response = await resubmit(enrolmentId);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toMatchObject({ enrolmentId, attempt: 2 });
    expect((await find(enrolmentId)).json()).toMatchObject({ status: "running", attempt: 2 });
  });

  it.each([
    ["under way", true, 409, "enrolment-not-reversed"],
    ["that there is not", false, 404, "enrolment-unknown"],
  ])("refuses one %s", async (_, exists, status, code) => {
    const { enrol, resubmit } = await campusOfTwo();
    const { enrolmentId } = (await enrol(inBoth)).json<{ enrolmentId: string }>();
    const response = await resubmit(exists ? enrolmentId : "none");
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code });
  });
});

describe("GET /enrolments/{id}", () => {
  it("tells what follows the enrolment", async () => {
    const { campus, enrol, find } = await campusOfTwo();
    const { enrolmentId } = (await enrol(inBoth)).json<{ enrolmentId: string }>();
    const card = { enrolmentId, studentId: "ada", cardNumber: "L-1" };
    campus.history.record([fact(enrolmentEvents, LibraryCardIssued, card)]);
    await campus.project();
    expect((await find(enrolmentId)).json()).toMatchObject({
      chain: {
        libraryCard: { cardNumber: "L-1", at: "2026-01-01T00:00:00.000Z" },
        accommodation: null,
        onboardingFinished: null,
      },
    });
  });

  it("answers 404 for an id that no enrolment has", async () => {
    const { find } = await campusOfTwo();
    const response = await find("none");
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: "enrolment-unknown" });
  });
});

describe("GET /students/{id}/enrolments", () => {
  it("lists a student's enrolments, the oldest first", async () => {
    const { app, enrol } = await campusOfTwo();
    await enrol({ studentId: "ada", moduleCodes: ["MA101"] });
    await enrol({ studentId: "bob", moduleCodes: ["MA101"] }, { "idempotency-key": "k-2" });
    const response = await app.inject({ url: "/students/ada/enrolments" });
    expect(response.json()).toMatchObject({ enrolments: [{ studentId: "ada" }], next: null });
  });
});
