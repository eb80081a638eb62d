import {
  anything,
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  dictionary,
  jsonValue,
  oneof,
  option,
  record,
  string,
  uint8Array,
} from "fast-check";
import type { InjectOptions } from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";

import { offerModule } from "../../processors/catalogue/index.ts";
import { row, serverOfTest } from "./server.ts";

const runs = { numRuns: 400 };

/** Texts that parsers and databases trip over. */
const nasty = constantFrom(
  "",
  "\u0000",
  "%00",
  "%",
  "%zz",
  "%E0%A4%A",
  "..%2f..%2f",
  "a\r\nset-cookie: x=1",
  "%0d%0aset-cookie:%20x=1",
  "__proto__",
  "constructor",
  "' or 1=1 --",
  "9".repeat(400),
  "-1",
  "1e999",
  "NaN",
  "null",
  "[]",
  "ＡＢＣ",
  "\ud800",
  "\uffff",
  "😀".repeat(50),
  "x".repeat(3_000),
);

const text = oneof(nasty, string({ unit: "binary" }), string());
/** Part of a URL: sometimes encoded as it should be, sometimes not. */
const part = oneof(
  text.map((value) => encodeURIComponent(value.toWellFormed())),
  nasty.map((value) => value.replaceAll(/[^\x21-\x7e]/g, "%ff")),
);

const method = constantFrom("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH", "TRACE");

const bodyText = oneof(
  jsonValue().map((value) => JSON.stringify(value)),
  uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  constantFrom(
    '{"moduleCode":"MA101","studentId":"ada","studentId":"bob"}',
    '{"moduleCode":"MA101","studentId":"ada","__proto__":{"waitlist":true}}',
    '{"moduleCode":"MA101","studentId":"ada","constructor":{"prototype":{}}}',
    '{"moduleCode":"MA101","studentId":1e400}',
    '{"moduleCode":"MA101","studentId":12345678901234567890}',
    '{"moduleCode":"MA101","studentId":"\\ud800"}',
    '{"moduleCode":"MA101","studentId":"a\\u0000b"}',
    '{"token":"tok_ok"}',
    '{"token":"tok_ok","__proto__":{"amountCents":0}}',
    '{"studentId":"bob","moduleCodes":["MA101"]}',
    '{"studentId":"bob","moduleCodes":["MA101","MA101"]}',
    '{"studentId":"bob","moduleCodes":{"length":1,"0":"MA101"}}',
    `{"studentId":"bob","moduleCodes":[${'"MA101",'.repeat(1_000)}"MA101"]}`,
    '{"type":"payment.confirmed","data":{"paymentId":"p-1","reference":"free"}}',
    `${"[".repeat(8_000)}${"]".repeat(8_000)}`,
    `${'{"a":'.repeat(2_500)}1${"}".repeat(2_500)}`,
    "﻿{}",
    "NaN",
    "",
  ),
);

const contentType = oneof(
  constant("application/json"),
  constantFrom(
    "application/json; charset=utf-16",
    "APPLICATION/JSON",
    "application/problem+json",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "/",
  ),
);

const headers = dictionary(
  constantFrom(
    "refold-wait-for",
    "idempotency-key",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "last-event-id",
    "if-none-match",
    "x-correlation-id",
    "traceparent",
    "accept",
    "content-encoding",
    "expect",
    "x-http-method-override",
  ),
  string({ unit: "grapheme-ascii" }),
);

/** Often the same, so that it is found in use, reused and answered. */
const idempotencyKey = option(constantFrom('"k-1"', "k-1", "k-2", "k-3", '"', '"k";a=1', "k,l"), {
  freq: 6,
  nil: undefined,
});

async function routesOfDocument() {
  const server = await serverOfTest({ options: { answerWithinMs: 2_000 } });
  server.campus.history.must(offerModule(row));
  const operations = Object.entries(server.app.swagger().paths ?? {}).flatMap(([path, methods]) =>
    Object.keys(methods).map((name) => ({ path, method: name.toUpperCase() as "GET" })),
  );
  // Streams never end their answers: their refusals are tried on sockets.
  return { ...server, operations: operations.filter(({ path }) => !/(updates|live)$/.test(path)) };
}

describe("hostile requests", () => {
  it("to every route are answered, never with a 5xx, and store nothing that is not asked for", async () => {
    const { app, campus, operations } = await routesOfDocument();
    const before = campus.history.facts.length;
    const request = record({
      operation: constantFrom(...operations),
      otherMethod: option(method, { freq: 3, nil: undefined }),
      id: oneof(constant("MA101"), part),
      query: array(
        record({ name: oneof(constantFrom("limit", "cursor", "at", "status"), part), value: part }),
        {
          maxLength: 3,
        },
      ),
      body: bodyText,
      contentType,
      key: idempotencyKey,
      headers,
    });
    await assert(
      asyncProperty(request, async ({ operation, otherMethod, id, query, ...rest }) => {
        const url = operation.path.replaceAll(/\{\w+\}/g, () => id);
        const search = query.map(({ name, value }) => `${name}=${value}`).join("&");
        const asked: InjectOptions = {
          method: otherMethod ?? operation.method,
          url: search === "" ? url : `${url}?${search}`,
          headers: {
            ...rest.headers,
            ...(rest.key === undefined ? {} : { "idempotency-key": rest.key }),
            "content-type": rest.contentType,
          },
          payload: rest.body,
        };
        const response = await app.inject(asked);
        expect(response.statusCode, `${asked.method} ${url}: ${response.body}`).toBeLessThan(500);
        expect(response.headers["set-cookie"]).toBeUndefined();
      }),
      runs,
    );
    const stored = campus.history.facts.slice(before);
    // Of duplicate keys JSON takes the last: the only body above that is a registration.
    for (const { event } of stored) expect(event).toMatchObject({ studentId: "bob" });
    expect(Object.prototype).not.toHaveProperty("waitlist");
  });

  it("whose bodies are any JSON are taken only where they have the right shape", async () => {
    const { app, campus } = await routesOfDocument();
    await assert(
      asyncProperty(anything({ withNullPrototype: true }), text, async (value, studentId) => {
        const before = campus.history.facts.length;
        const payload = JSON.stringify({ moduleCode: "MA101", studentId, extra: value }) ?? "";
        const withExtra = value !== undefined && payload.includes('"extra"');
        const response = await app.inject({
          method: "POST",
          url: "/registrations",
          payload,
          headers: { "content-type": "application/json" },
        });
        expect(response.statusCode).toBeLessThan(500);
        if (withExtra) expect(response.statusCode).toBe(400);
        if (response.statusCode !== 201) expect(campus.history.facts.length).toBe(before);
      }),
      runs,
    );
  });

  it("leave the server as it was", async () => {
    const { app } = await routesOfDocument();
    onTestFinished(() => expect(Object.keys(Object.prototype)).toEqual([]));
    const payload = '{"__proto__":{"polluted":1}}';
    const options = { headers: { "content-type": "application/json" }, payload } as const;
    const response = await app.inject({ method: "POST", url: "/registrations", ...options });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: "json-invalid" });
    expect((await app.inject({ url: "/modules" })).statusCode).toBe(200);
  });
});
