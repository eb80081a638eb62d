import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { KafkaCluster } from "../../connectors/kafka/index.ts";

/** Takes connections and says nothing, as a broker does that is still starting. */
async function silentBroker(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a broker that takes a connection and doesn't answer is left after the time to connect", async () => {
  const address = await silentBroker();
  await using cluster = new KafkaCluster({
    brokers: [address],
    connectTimeoutMs: 200,
    requestTimeoutMs: 60_000,
  });
  const beganMs = performance.now();
  await expect(cluster.metadata()).rejects.toMatchObject({
    code: "kafka-connection",
    message: `The connection to Kafka at ${address} failed: not connected within 200 ms.`,
  });
  expect(performance.now() - beganMs).toBeLessThan(5_000);
});
