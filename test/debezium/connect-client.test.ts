import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { ConnectClient } from "../../connectors/debezium/index.ts";

interface Refusal {
  readonly status: number;
  readonly message: string;
}

const looking = {
  status: 500,
  message: "Request cannot be completed because a rebalance is expected",
};
const changing = {
  status: 409,
  message: "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
};
const exists = { status: 409, message: "Connector c already exists" };

/** A worker that refuses its first calls, and then knows of a connector. */
async function worker(refusals: readonly Refusal[], rebalanceMs = 10_000) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const refusal = refusals[asked.length];
    asked.push(`${request.method} ${request.url}`);
    response.statusCode = refusal?.status ?? 200;
    const { status: error_code, message } = refusal ?? {};
    response.end(JSON.stringify(refusal ? { error_code, message } : { name: "c" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, connect: new ConnectClient({ url, rebalanceMs }) };
}

test("a call that a rebalance puts off is made again, until it is carried out", async () => {
  const { asked, connect } = await worker([looking, looking]);
  expect(await connect.config("c")).toEqual({ name: "c" });
  expect(asked).toEqual(Array.from({ length: 3 }, () => "GET /connectors/c/config"));
});

test("so is one that changes something", async () => {
  const { asked, connect } = await worker([changing]);
  await connect.configure("c", { name: "c" });
  expect(asked).toEqual(Array.from({ length: 2 }, () => "PUT /connectors/c/config"));
});

test("a rebalance that doesn't end is told as an outage", async () => {
  const { connect } = await worker(
    Array.from({ length: 9 }, () => looking),
    300,
  );
  await expect(connect.config("c")).rejects.toMatchObject({
    name: "TransientError",
    message: expect.stringContaining("a rebalance is expected") as string,
  });
});

test("a connector that is there already is told at once", async () => {
  const { asked, connect } = await worker([exists]);
  await expect(connect.create("c", {})).rejects.toThrow("already exists");
  expect(asked).toHaveLength(1);
});
