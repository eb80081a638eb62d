import { type Arbitrary, assert, asyncProperty, constantFrom, oneof, record } from "fast-check";
import type { InjectOptions } from "fastify";
import { expect, test } from "vitest";

import { offerModule } from "../../processors/catalogue/index.ts";
import { row, serverOfTest } from "../api/server.ts";
import { fitting, nearlyFitting, type Schema, wild } from "./from-schema.ts";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema?: Schema;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
  };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Streams never end their answers; their refusals are tried on sockets. */
const isStream = ({ path }: Route): boolean => /updates$|\/events$|live$/.test(path);

async function servedRoutes() {
  const server = await serverOfTest({ options: { answerWithinMs: 2_000 } });
  server.campus.history.must(offerModule(row));
  const paths = Object.entries(server.app.swagger().paths ?? {});
  const routes = paths.flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([name, operation]) => ({
      path,
      method: name.toUpperCase(),
      operation,
    })),
  );
  return { ...server, all: routes.filter((route) => !isStream(route)) };
}

const headerText = (value: unknown): string =>
  (typeof value === "string" ? value : (JSON.stringify(value) ?? "")).replaceAll(
    /[^\x20-\x7e]/g,
    "?",
  );

const urlText = (value: unknown): string =>
  encodeURIComponent(
    (typeof value === "string" ? value : (JSON.stringify(value) ?? "")).toWellFormed(),
  );

/** A request of the route, valid in all, in most, or in nothing. */
function requestTo({ method, path, operation }: Route): Arbitrary<InjectOptions> {
  const { parameters = [], requestBody } = operation;
  const of = (place: Parameter["in"]) =>
    record(
      Object.fromEntries(
        parameters
          .filter((parameter) => parameter.in === place)
          .map(({ name, schema = {} }) => [
            name,
            oneof({ weight: 5, arbitrary: fitting(schema) }, { weight: 1, arbitrary: wild }),
          ]),
      ),
      place === "path" ? {} : { requiredKeys: [] },
    );
  const [media, content] = Object.entries(requestBody?.content ?? {})[0] ?? [
    "application/json",
    {},
  ];
  const { schema = {} } = content;
  const body = oneof(fitting(schema), nearlyFitting(schema), wild);
  return record({ path: of("path"), query: of("query"), header: of("header"), body }).map(
    (made) => {
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        urlText((made.path as Record<string, unknown>)[name]),
      );
      const query = Object.entries(made.query).map(([name, value]) => `${name}=${urlText(value)}`);
      const headers = Object.entries(made.header).map(([name, value]) => [name, headerText(value)]);
      const payload = JSON.stringify(made.body) ?? "";
      return {
        method: method as "GET",
        url: [url, query.join("&")].filter(Boolean).join("?"),
        headers: {
          ...(Object.fromEntries(headers) as Record<string, string>),
          ...(requestBody === undefined ? {} : { "content-type": media }),
        },
        ...(requestBody === undefined ? {} : { payload }),
      };
    },
  );
}

const numRuns = 40;
/** Of this thread's own work: what others take of the machine doesn't count. */
const cpuMsMax = 1_000;

test("every route answers what its document tells, never with a 5xx, and stores nothing of what it refuses", async () => {
  const { app, campus, all } = await servedRoutes();
  expect(all.length).toBeGreaterThan(30);
  for (const route of all) {
    await assert(
      asyncProperty(requestTo(route), async (request) => {
        const before = campus.history.facts.length;
        const { user: began } = process.cpuUsage();
        const { statusCode, body, headers } = await app.inject(request);
        const cpuMs = (process.cpuUsage().user - began) / 1_000;
        const told = `${request.method} ${JSON.stringify(request.url)}: ${statusCode} ${body}`;
        expect(cpuMs, told).toBeLessThan(cpuMsMax);
        if (statusCode >= 500) {
          expect(statusCode, told).toBe(503);
          expect(Object.keys(route.operation.responses), told).toContain("503");
        }
        if (statusCode >= 400) expect(campus.history.facts.length, told).toBe(before);
        expect(headers["set-cookie"]).toBeUndefined();
      }),
      { numRuns },
    );
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("a method that a route doesn't have is refused, with those that it has", async () => {
  const { app, campus, all } = await servedRoutes();
  const before = campus.history.facts.length;
  const wrong = constantFrom("PATCH", "TRACE", "PUT", "DELETE", "POST");
  await assert(
    asyncProperty(constantFrom(...all), wrong, async ({ path }, method) => {
      const has = all.filter((one) => one.path === path).map((one) => one.method);
      if (has.includes(method)) return;
      const url = path.replaceAll(/\{\w+\}/g, "x");
      const { statusCode, headers } = await app.inject({ method: method as "PUT", url });
      expect([404, 405], `${method} ${path}`).toContain(statusCode);
      if (statusCode === 405) expect(headers.allow).toBeTruthy();
    }),
    { numRuns: 200 },
  );
  expect(campus.history.facts.length).toBe(before);
});
