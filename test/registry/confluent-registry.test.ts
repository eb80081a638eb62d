import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { avroCodec, ConfluentRegistry, subjectRegistry } from "../../connectors/registry/index.ts";
import { FatalError, RecordError, TransientError } from "../../engine/errors.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import { framedSchemaId } from "../../engine/ports/codec.ts";
import { moduleEvents, ModuleOffered, ModuleWithdrawn } from "../../schemas/index.ts";
import { serverOfTest } from "../api/server.ts";
import { schemaRegistryConformance } from "../conformance/schema-registry.ts";

/** A server that can be cut off, in front of a registry's routes; every request is counted. */
async function registryServer() {
  const { app } = await serverOfTest({
    deps: { registry: subjectRegistry(new MemoryRegistryStore()) },
  });
  const state = { asked: [] as string[], status: 0, authorization: "" };
  const relay = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    state.asked.push(`${request.method} ${request.url}`);
    state.authorization = request.headers.authorization ?? "";
    if (state.status > 0) return void response.writeHead(state.status).end("{}");
    const payload = Buffer.concat(await request.toArray());
    const answer = await app.inject({
      method: request.method as "GET",
      url: `/registry${request.url}`,
      headers: { "content-type": request.headers["content-type"] ?? "application/json" },
      ...(payload.length > 0 ? { payload } : {}),
    });
    response.writeHead(answer.statusCode).end(answer.body);
  };
  const server = createServer((request, response) => void relay(request, response));
  return { ...(await listening(server)), state };
}

async function listening(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return { port, close, url: `http://127.0.0.1:${port}` };
}

const quick = { triesMax: 2, retryDelayMs: 1, timeoutMs: 2_000 };

schemaRegistryConformance("A registry behind Confluent's routes", async () => {
  const { url } = await registryServer();
  return new ConfluentRegistry({ url, ...quick });
});

describe("the name of a registry", () => {
  test("is the same for all that ask, and stays when its address changes", async () => {
    const { url, port } = await registryServer();
    const registries = Array.from({ length: 5 }, () => new ConfluentRegistry({ url, ...quick }));
    const names = await Promise.all(registries.map((registry) => registry.identity()));
    expect(new Set(names).size).toBe(1);
    const moved = new ConfluentRegistry({ url: `http://localhost:${port}/`, ...quick });
    expect(await moved.identity()).toBe(names[0]);
    expect(await moved.subjects()).toEqual([]);
  });

  test("differs between two registries", async () => {
    const [one, other] = [await registryServer(), await registryServer()];
    const identityAt = (url: string) => new ConfluentRegistry({ url, ...quick }).identity();
    expect(await identityAt(one.url)).not.toBe(await identityAt(other.url));
  });
});

describe("a registry that is away", () => {
  test("stops only what needs a schema that isn't known yet, and that goes on afterwards", async () => {
    const { url, state } = await registryServer();
    const registry = new ConfluentRegistry({ url, ...quick });
    const codec = avroCodec({ registry });
    await codec.prepare(moduleEvents);
    const withdrawn = codec.encode(moduleEvents, ModuleWithdrawn, { moduleCode: "AAA" });
    const idOf = (bytes: Uint8Array): number => framedSchemaId(Buffer.from(bytes), 0, 5) ?? 0;
    const reader = codec.events([ModuleWithdrawn, ModuleOffered]);
    await reader.learn(idOf(withdrawn));

    state.status = 503;
    expect(reader.known(idOf(withdrawn))?.type).toBe("ModuleWithdrawn");
    expect(idOf(codec.encode(moduleEvents, ModuleWithdrawn, { moduleCode: "B" }))).toBeGreaterThan(
      0,
    );
    const [other] = (await idsOf(registry, state)).filter((id) => id !== idOf(withdrawn));
    await expect(reader.learn(other ?? 0)).rejects.toBeInstanceOf(TransientError);

    state.status = 0;
    await expect(reader.learn(other ?? 0)).resolves.toBeDefined();
  });

  test("is asked a bounded number of times, and named when nobody listens", async () => {
    const { url, state, close } = await registryServer();
    const registry = new ConfluentRegistry({ url, ...quick });
    state.status = 500;
    await expect(registry.schemaById(1)).rejects.toThrow(/answered GET .*schemas\/ids\/1 with 500/);
    expect(state.asked).toHaveLength(quick.triesMax);
    await close();
    const asked = registry.schemaById(1);
    await expect(asked).rejects.toThrow(/schema registry can.t be asked: connect ECONNREFUSED/);
    await expect(asked).rejects.toBeInstanceOf(TransientError);
  });

  test("is given up on when an answer takes too long", async () => {
    const { url } = await listening(createServer(() => undefined));
    const registry = new ConfluentRegistry({ url, triesMax: 1, timeoutMs: 30 });
    await expect(registry.subjects()).rejects.toBeInstanceOf(TransientError);
  });
});

/** Ids of the topic's schemas, listed while the registry can be asked. */
async function idsOf(
  registry: ConfluentRegistry,
  state: { status: number },
): Promise<readonly number[]> {
  const { status } = state;
  state.status = 0;
  const subjects = await registry.subjects();
  const versions = await Promise.all(subjects.map((subject) => registry.versions(subject)));
  state.status = status;
  return versions.flat().map(({ id }) => id);
}

test("asks for an unknown id once, however many records carry it", async () => {
  const { url, state } = await registryServer();
  const registry = new ConfluentRegistry({ url, ...quick });
  const reader = avroCodec({ registry }).events([ModuleOffered]);
  for (let count = 0; count < 50; count += 1) {
    await expect(reader.learn(4711)).rejects.toBeInstanceOf(RecordError);
  }
  expect(state.asked).toEqual(["GET /schemas/ids/4711"]);
});

test("sends a user and password, and names refused ones", async () => {
  const { port, state } = await registryServer();
  const registry = new ConfluentRegistry({ url: `http://ann:s%40d@127.0.0.1:${port}`, ...quick });
  await registry.subjects();
  expect(state.authorization).toBe(`Basic ${Buffer.from("ann:s@d").toString("base64")}`);
  state.status = 401;
  const asked = registry.subjects();
  await expect(asked).rejects.toThrow(/with 401\. Give SCHEMA_REGISTRY_URL a user/);
  await expect(asked).rejects.not.toThrow(/s@d/);
});

test("refuses what is no registry, by name", async () => {
  const web = createServer((_, response) => void response.end("<html></html>"));
  const { url } = await listening(web);
  const asked = new ConfluentRegistry({ url, ...quick }).subjects();
  await expect(asked).rejects.toBeInstanceOf(FatalError);
  await expect(asked).rejects.toThrow(/is no schema registry/);
});

test("sets a schema that isn't Avro, or refers to others, aside", async () => {
  const answers: Record<string, unknown> = {
    "/schemas/ids/1": { schema: "syntax", schemaType: "PROTOBUF" },
    "/schemas/ids/2": { schema: '"string"', references: [{ name: "a", subject: "a", version: 1 }] },
  };
  const { url } = await listening(
    createServer((request, response) => {
      response.end(JSON.stringify(answers[request.url ?? ""]));
    }),
  );
  const registry = new ConfluentRegistry({ url, ...quick });
  await expect(registry.schemaById(1)).rejects.toThrow(/is of type PROTOBUF/);
  await expect(registry.schemaById(2)).rejects.toBeInstanceOf(RecordError);
});
