import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";

import { problemCodes } from "../../api/problem-codes.ts";
import { guardedServer } from "./access-of-test.ts";
import { Contract } from "./contract.ts";
import { serverOfTest } from "./server.ts";

async function documentOf() {
  const { app, routes } = await guardedServer();
  const response = await app.inject({ url: "/openapi.json" });
  expect(response.headers["content-type"]).toContain("application/json");
  return { app, routes, document: response.json<Document>() };
}

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  readonly summary?: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
}

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe("GET /openapi.json", () => {
  it("is a valid OpenAPI 3.1 document", async () => {
    const { document } = await documentOf();
    const validator = new Validator();
    const result = await validator.validate(document as never);
    expect(result).toMatchObject({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  it("has every route that the server has, by method", async () => {
    const { document, routes } = await documentOf();
    const expected = routes.filter((route) => !/^head |^\w+ \/registry/.test(route));
    expect(expected.length).toBeGreaterThanOrEqual(45);
    expect(
      operationsOf(document)
        .map(({ method, path }) => `${method} ${path}`)
        .sort(),
    ).toEqual(expected.toSorted());
  });

  it("names every problem code in some answer, but those of unknown methods and inner commands", async () => {
    const { document } = await documentOf();
    const text = JSON.stringify(document.paths);
    const missing = Object.keys(problemCodes).filter((code) => !text.includes(`"${code}"`));
    expect(missing.sort()).toEqual([
      "already-in-line",
      "method-not-allowed",
      "nothing-to-refund",
      "payment-amount-invalid",
      "registration-cancelled",
      "registration-completed",
      "registration-in-line",
    ]);
  });

  it("names the scheme of every operation that needs a session, and the refusals of one without", async () => {
    const { document } = await documentOf();
    for (const { path, method, operation } of operationsOf(document)) {
      const { security = [], responses } = operation;
      const refuses = JSON.stringify(responses["401"] ?? {}).includes("session-required");
      expect(security.length > 0, `${method} ${path}`).toBe(refuses);
    }
    const schemesOf = (path: string) =>
      document.paths[path]?.["get"]?.security?.flatMap((scheme) => Object.keys(scheme));
    expect(schemesOf("/sessions")).toEqual(["bearer"]);
    expect(schemesOf("/admin/rebuilds/{id}/events")).toEqual(["bearer", "ticket"]);
    expect(schemesOf("/modules")).toBeUndefined();
  });

  it("says nothing of sessions where everything is open", async () => {
    const { app } = await serverOfTest();
    const response = await app.inject({ url: "/openapi.json" });
    expect(response.body).not.toContain("session-required");
  });

  it("gives every refusal as a problem", async () => {
    const { document } = await documentOf();
    for (const { path, method, operation } of operationsOf(document)) {
      const refusals = Object.entries(operation.responses).filter(([status]) => status >= "400");
      expect(refusals.length, `${method} ${path}`).toBeGreaterThan(5);
      for (const [, { content }] of refusals) {
        expect(Object.keys(content ?? {})).toEqual(["application/problem+json"]);
      }
    }
  });
});

describe("the check of answers against the document", () => {
  const answer = {
    method: "GET",
    url: "/livez",
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: '{"status":"alive"}',
  };

  it.each([
    ["a status", { status: 201 }, "no such status"],
    ["a media type", { headers: { "content-type": "text/plain" } }, "no text/plain"],
    ["a body", { body: '{"status":"asleep"}' }, "must be equal to constant"],
    ["a header's absence", { url: "/docs", body: "" }, "no application/json"],
    ["a path", { url: "/nowhere" }, "no operation"],
  ])("finds %s that is not documented", async (_, change, fault) => {
    const { document } = await documentOf();
    const contract = new Contract(document as never);
    expect(contract.faultOf(answer)).toBeUndefined();
    expect(contract.faultOf({ ...answer, ...change })).toContain(fault);
  });

  it("finds a missing header", async () => {
    const { document } = await documentOf();
    const headers = { "content-type": "application/problem+json" };
    const body =
      '{"type":"","title":"","status":429,"detail":"","code":"too-many-requests","instance":""}';
    const seen = { ...answer, url: "/modules", status: 429, headers, body };
    const contract = new Contract(document as never);
    expect(contract.faultOf(seen)).toContain("retry-after is missing");
  });
});

describe("GET /docs", () => {
  it("shows every route, names no other address, and needs no script", async () => {
    const { app, document } = await documentOf();
    const response = await app.inject({ url: "/docs" });
    expect(response.headers["content-type"]).toBe("text/html; charset=utf-8");
    const policy = String(response.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    for (const { path } of operationsOf(document)) expect(response.body).toContain(path);
    expect(response.body).not.toMatch(/<script|https?:\/\/|\son\w+=|\sstyle=|<img|<link/);
  });

  it("has the one style that its policy allows", async () => {
    const { app } = await serverOfTest();
    const response = await app.inject({ url: "/docs" });
    const [, style = ""] = /<style>([^]*?)<\/style>/.exec(response.body) ?? [];
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
    const hash = Buffer.from(digest).toString("base64");
    expect(response.headers["content-security-policy"]).toContain(`'sha256-${hash}'`);
  });
});
