import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import type { ApiOptions } from "../../../api/index.ts";
import { offerModule } from "../../../processors/catalogue/index.ts";
import { row, serverOfTest } from "../server.ts";
import { EventReader } from "../streams.ts";

async function listening(options: Partial<ApiOptions> = {}) {
  const { app, campus } = await serverOfTest({ options });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const sse = (query = "") => EventReader.open(`${url}/registration-updates${query}`);
  const offer = (moduleCode: string) =>
    campus.execute(offerModule({ ...row, moduleCode }), { correlationId: "test" });
  return { app, url, sse, offer };
}

function refusalOf(url: string): Promise<number | undefined> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws/registration-updates`);
  onTestFinished(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.once("unexpected-response", (_, response) => resolve(response.statusCode));
    socket.once("open", () => reject(new Error("It was opened.")));
    socket.on("error", () => undefined);
  });
}

describe("update streams", () => {
  it("of one address are bounded, sockets included, and a closed one makes room", async () => {
    const { url, sse } = await listening({ clientListenersMax: 2 });
    const first = await sse();
    expect(first.response.statusCode).toBe(200);
    expect((await sse()).response.statusCode).toBe(200);
    const refused = await sse();
    expect(refused.response.statusCode).toBe(429);
    expect(refused.response.headers["retry-after"]).toBe("2");
    expect(await refusalOf(url)).toBe(429);
    first.response.destroy();
    await expect.poll(async () => (await sse()).response.statusCode).toBe(200);
  });

  it("carry the modules that they name, and may name no more than the most", async () => {
    const { sse, offer } = await listening({ listenerModulesMax: 2 });
    const reader = await sse("?module=MA101&module=PH101");
    await expect.poll(() => reader.lastId).toBeDefined();
    for (const code of ["MA101", "CH101", "PH101"]) await offer(code);
    await expect.poll(() => reader.events).toHaveLength(2);
    expect(reader.events.map(({ data }) => data)).toMatchObject([
      { moduleCode: "MA101" },
      { moduleCode: "PH101" },
    ]);
    const refused = await sse("?module=A&module=B&module=C");
    expect(refused.response.statusCode).toBe(400);
  });

  it("are answered with what is left of the client's requests", async () => {
    const { sse } = await listening();
    const { headers } = (await sse()).response;
    expect(headers["ratelimit"]).toMatch(/^"requests";r=\d+;t=1$/);
    expect(headers["x-correlation-id"]).toBeTypeOf("string");
  });
});
