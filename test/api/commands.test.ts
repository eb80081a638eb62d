import { describe, expect, it } from "vitest";

import { TransientError } from "../../engine/errors.ts";
import { decodePositionToken } from "../../engine/position-token.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { row, serverOfTest } from "./server.ts";

const ada = { moduleCode: "MA101", studentId: "ada" };
type Server = Awaited<ReturnType<typeof serverOfTest>>;

const post = ({ app }: Server, payload: unknown, headers: Record<string, string> = {}) =>
  app.inject({ method: "POST", url: "/registrations", payload: payload as object, headers });

describe("POST /registrations", () => {
  it("answers 201 with the registration, where it is, and the position that was written", async () => {
    const server = await serverOfTest();
    server.campus.history.must(offerModule(row));
    const response = await post(server, ada);
    expect(response.statusCode).toBe(201);
    const body = response.json<{ registrationId: string }>();
    expect(body).toEqual({
      ...ada,
      registrationId: body.registrationId,
      status: "completed",
      registeredAt: "2026-01-01T00:00:00.000Z",
      feeCents: 0,
      holdExpiresAt: null,
      paymentId: null,
    });
    expect(response.headers.location).toBe(`/registrations/${body.registrationId}`);
    const token = decodePositionToken(String(response.headers["refold-position"]));
    expect(token.incarnation).toBe("campus-1");
    // After the offer: held, and completed, because nothing is to be paid.
    expect(token.lanes).toMatchObject([{ topic: "module-events", sequence: 3n }]);
  });

  it("answers a refusal as a problem with its code, and with a position", async () => {
    const server = await serverOfTest();
    server.campus.history.must(offerModule({ ...row, capacity: 0 }));
    const response = await post(server, ada);
    expect(response.statusCode).toBe(409);
    expect(response.headers["content-type"]).toContain("application/problem+json");
    expect(response.headers["refold-position"]).toBeTypeOf("string");
    expect(response.json()).toEqual({
      type: "urn:refold:problem:module-full",
      title: "Conflict",
      status: 409,
      detail: "All 0 seats of MA101 are taken or promised.",
      code: "module-full",
      instance: "/registrations",
    });
  });

  it("answers 404 for a module that isn't on offer", async () => {
    const response = await post(await serverOfTest(), ada);
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: "module-unknown" });
  });

  it("answers 503 with Retry-After while an import holds the store", async () => {
    const server = await serverOfTest();
    server.campus.heldBy = "import oulad";
    const response = await post(server, ada);
    expect(response.statusCode).toBe(503);
    expect(response.headers["retry-after"]).toBe("5");
    expect(response.json()).toMatchObject({ code: "import-in-progress" });
  });

  it("applies the limit of modules that its options give", async () => {
    const server = await serverOfTest({ options: { studentModuleLimit: 1 } });
    server.campus.history.must(offerModule(row));
    server.campus.history.must(offerModule({ ...row, moduleCode: "PH101" }));
    await post(server, ada);
    const response = await post(server, { ...ada, moduleCode: "PH101" });
    expect(response.json()).toMatchObject({ code: "student-module-limit" });
  });

  it("carries the caller's correlation id and trace into the events, and gives the id back", async () => {
    const server = await serverOfTest();
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const traceparent = `00-${trace}-b7ad6b7169203331-01`;
    const named = await post(server, ada, { "x-correlation-id": "rush-7" });
    const traced = await post(server, ada, { traceparent });
    const bare = await post(server, ada, { "x-correlation-id": "has spaces" });
    expect(named.headers["x-correlation-id"]).toBe("rush-7");
    expect(traced.headers["x-correlation-id"]).toBe(trace);
    expect(bare.headers["x-correlation-id"]).toMatch(/^[0-9a-f-]{36}$/);
    const causationId = expect.stringMatching(/^POST \/registrations [0-9a-f-]{36}$/) as string;
    expect(server.campus.origins).toEqual([
      { correlationId: "rush-7", causationId },
      { correlationId: trace, traceparent, causationId },
      { correlationId: bare.headers["x-correlation-id"], causationId },
    ]);
    expect(new Set(server.campus.origins.map((origin) => origin.causationId)).size).toBe(3);
  });

  it("names a field that it doesn't know as such", async () => {
    const response = await post(await serverOfTest(), { ...ada, modulecode: "x" });
    expect(response.json()).toMatchObject({
      detail: "body/modulecode is not known here.",
      errors: [{ at: "body/modulecode", fault: "is not known here" }],
    });
  });

  it.each([
    ["a missing field", { moduleCode: "MA101" }],
    ["a wrong type", { ...ada, studentId: 7 }],
    ["text where a boolean belongs", { ...ada, waitlist: "true" }],
    ["a field that it doesn't know", { ...ada, modulecode: "x" }],
    ["an empty id", { ...ada, studentId: "" }],
    ["an id with a NUL", { ...ada, studentId: "a\u0000" }],
    ["half a surrogate pair", { ...ada, studentId: "\ud800" }],
    ["no object", [1]],
  ])("answers 400 to %s, saying where", async (_, payload) => {
    const server = await serverOfTest();
    const response = await post(server, payload);
    expect(response.statusCode).toBe(400);
    const problem = response.json<{ code: string; errors: { at: string }[] }>();
    expect(problem.code).toBe("validation");
    expect(problem.errors[0]?.at).toMatch(/^body/);
    expect(server.campus.origins).toEqual([]);
  });

  it("answers ids of other scripts, whole", async () => {
    const server = await serverOfTest();
    const moduleCode = "数学 📐/1";
    server.campus.history.must(offerModule({ ...row, moduleCode }));
    expect((await post(server, { ...ada, moduleCode })).statusCode).toBe(201);
    const url = `/modules/${encodeURIComponent(moduleCode)}/availability`;
    const seats = await server.app.inject({ url });
    expect(seats.json()).toMatchObject({ moduleCode, confirmed: 1 });
  });
});

describe("DELETE /registrations/{id}", () => {
  it("frees the seat, and answers the same when it comes again", async () => {
    const server = await serverOfTest();
    server.campus.history.must(offerModule(row));
    const { registrationId } = (await post(server, ada)).json<{ registrationId: string }>();
    const remove = () =>
      server.app.inject({ method: "DELETE", url: `/registrations/${registrationId}` });
    const once = await remove();
    const twice = await remove();
    expect(once.statusCode).toBe(200);
    expect(once.json()).toEqual({
      ...ada,
      registrationId,
      status: "cancelled",
      reason: "WITHDRAWN",
    });
    expect(twice.json()).toEqual(once.json());
    const positions = [once, twice].map(({ headers }) =>
      decodePositionToken(String(headers["refold-position"])),
    );
    expect(positions[1]?.lanes).toEqual(positions[0]?.lanes);
  });

  it("answers 404 for an id that no registration has", async () => {
    const { app } = await serverOfTest();
    const response = await app.inject({ method: "DELETE", url: "/registrations/none" });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: "registration-unknown" });
  });
});

describe("problems", () => {
  it.each([
    ["an unknown path", { url: "/nothing/here" }, 404, "route-unknown"],
    ["an unknown method", { method: "PUT", url: "/registrations" }, 405, "method-not-allowed"],
    ["a broken percent encoding", { url: "/modules/%E0%A4%A" }, 400, "url-invalid"],
    [
      "JSON that isn't",
      {
        method: "POST",
        url: "/registrations",
        payload: "{",
        headers: { "content-type": "application/json" },
      },
      400,
      "json-invalid",
    ],
    [
      "an empty body",
      { method: "POST", url: "/registrations", headers: { "content-type": "application/json" } },
      400,
      "json-invalid",
    ],
    [
      "a body of another kind",
      {
        method: "POST",
        url: "/registrations",
        payload: "<a/>",
        headers: { "content-type": "text/xml" },
      },
      415,
      "media-type-unsupported",
    ],
    [
      "a body that is too large",
      {
        method: "POST",
        url: "/registrations",
        payload: { moduleCode: "x".repeat(20_000), studentId: "ada" },
      },
      413,
      "body-too-large",
    ],
    [
      "JSON that is not UTF-8",
      {
        method: "POST",
        url: "/registrations",
        payload: Buffer.from('{"moduleCode":"MA101","studentId":"a\xff"}', "latin1"),
        headers: { "content-type": "application/json" },
      },
      400,
      "json-invalid",
    ],
    ["a page of nothing", { url: "/modules?limit=0" }, 400, "validation"],
    ["a page too large", { url: "/modules?limit=501" }, 400, "validation"],
    ["a cursor that isn't one", { url: "/modules?cursor=%21" }, 400, "cursor-invalid"],
  ] as const)("answer %s", async (_, request, status, code) => {
    const { app } = await serverOfTest();
    const response = await app.inject(request);
    expect(response.statusCode).toBe(status);
    expect(response.headers["content-type"]).toContain("application/problem+json");
    expect(response.json()).toMatchObject({ status, code, type: `urn:refold:problem:${code}` });
    expect(response.json<{ instance: string }>().instance).toBe(request.url.split("?")[0]);
  });

  it("name the methods that a path takes", async () => {
    const { app } = await serverOfTest();
    const response = await app.inject({ method: "PUT", url: "/registrations/7" });
    expect(response.headers.allow).toBe("DELETE, GET, HEAD");
  });

  it("tell an outage as one that passes, and hide what nobody expected", async () => {
    const server = await serverOfTest();
    server.campus.failure = new TransientError("unreachable", "connection refused at 10.0.0.1");
    const outage = await post(server, ada);
    expect(outage.statusCode).toBe(503);
    expect(outage.headers["retry-after"]).toBe("1");
    server.campus.failure = new Error("secret inside");
    const unexpected = await post(server, ada);
    expect(unexpected.statusCode).toBe(500);
    expect(unexpected.body).not.toContain("secret");
    expect(unexpected.json()).toMatchObject({ code: "internal" });
  });
});
