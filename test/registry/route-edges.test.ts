import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";

import { subjectRegistry } from "../../connectors/registry/index.ts";
import { TransientError } from "../../engine/errors.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import { serverOfTest } from "../api/server.ts";

const v1 = "application/vnd.schemaregistry.v1+json; charset=utf-8";

async function registryServer(store = new MemoryRegistryStore()) {
  return serverOfTest({ deps: { registry: subjectRegistry(store) } });
}

test("every route of the registry is in the document, which is valid", async () => {
  const { app, routes } = await registryServer();
  const document = (await app.inject({ url: "/openapi.json" })).json<{ paths: object }>();
  expect(await new Validator().validate(document as never)).toMatchObject({ valid: true });
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method} ${path}`),
  );
  const ours = routes.filter(
    (route) => route.includes(" /registry/") && !/^(head|options) /.test(route),
  );
  expect(ours.length).toBeGreaterThan(20);
  expect(documented).toEqual(expect.arrayContaining(ours));
});

test("answers in the media type that the request likes best", async () => {
  const { app } = await registryServer();
  const mediaOf = async (accept: string): Promise<unknown> =>
    (await app.inject({ url: "/registry/subjects", headers: { accept } })).headers["content-type"];
  expect(await mediaOf("*/*")).toBe(v1);
  expect(await mediaOf("application/json")).toBe("application/json; charset=utf-8");
  expect(await mediaOf("application/json; q=0.5, application/vnd.schemaregistry+json")).toBe(
    "application/vnd.schemaregistry+json; charset=utf-8",
  );
  expect(await mediaOf("application/vnd.schemaregistry.v1+json, application/json")).toBe(v1);
  expect(await mediaOf("text/html")).toBe(v1);
});

test("reads bodies by any of the registry's media types, and refuses others", async () => {
  const { app } = await registryServer();
  const statusOf = async (type: string): Promise<number> => {
    const response = await app.inject({
      method: "POST",
      url: "/registry/subjects/s/versions",
      headers: { "content-type": type },
      payload: '{"schema": "\\"int\\""}',
    });
    return response.statusCode;
  };
  expect(await statusOf("application/json; charset=utf-8")).toBe(200);
  expect(await statusOf("application/vnd.schemaregistry+json")).toBe(200);
  expect(await statusOf("application/octet-stream")).toBe(200);
  expect(await statusOf("text/plain")).toBe(415);
});

test("takes schemas that are larger than the other routes' bodies, up to a bound", async () => {
  const { app } = await registryServer();
  const registered = (characters: number) =>
    app.inject({
      method: "POST",
      url: "/registry/subjects/s/versions",
      payload: { schema: JSON.stringify({ type: "string", doc: "d".repeat(characters) }) },
    });
  expect((await registered(900_000)).statusCode).toBe(200);
  expect((await registered(1_000_000)).json()).toMatchObject({ error_code: 42_209 });
  const tooLarge = await registered(4_200_000);
  expect(tooLarge.statusCode).toBe(413);
  expect(tooLarge.json()).toMatchObject({ error_code: 413 });
});

test("a database that doesn't answer is 500 with 50001, which clients try again", async () => {
  const outage = () => Promise.reject(new TransientError("connection", "It is away."));
  const store = Object.assign(new MemoryRegistryStore(), {
    subjects: outage,
    change: outage,
  });
  const { app } = await registryServer(store);
  const response = await app.inject({ url: "/registry/subjects" });
  expect(response.statusCode).toBe(500);
  expect(response.json()).toEqual({
    error_code: 50_001,
    message: "Error in the backend data store",
  });
});

test("references that go in a circle are refused", async () => {
  const { app } = await registryServer();
  const record = (name: string, type: string) =>
    JSON.stringify({ type: "record", name, fields: [{ name: "a", type: ["null", type] }] });
  const post = async (subject: string, payload: object) => {
    const url = `/registry/subjects/${subject}/versions`;
    return (await app.inject({ method: "POST", url, payload })).json<{ error_code?: number }>();
  };
  const to = (name: string) => [{ name, subject: name, version: 1 }];
  await app.inject({ method: "PUT", url: "/registry/mode", payload: { mode: "IMPORT" } });
  await post("A", { schema: record("A", "int"), id: 1, version: 1 });
  await post("B", { schema: record("B", "A"), references: to("A"), id: 2, version: 1 });
  expect(
    await post("A", { schema: record("A", "B"), references: to("B"), id: 3, version: 1 }),
  ).toMatchObject({ error_code: 42_201 });
  expect(
    await post("C", { schema: record("C", "B"), references: to("B"), id: 4, version: 1 }),
  ).toMatchObject({ id: 4 });
});
