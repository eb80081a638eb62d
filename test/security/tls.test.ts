import { once } from "node:events";
import { type Server as HttpServer } from "node:http";
import { createServer, request } from "node:https";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";

import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";

import { failureOf } from "../../bin/command-failure.ts";
import { serversOf } from "../../bin/servers.ts";
import { certificateAdvice } from "../../bin/tls/certificate-advice.ts";
import { serverTlsOf } from "../../bin/tls/server-tls.ts";
import { trustAuthorities } from "../../bin/tls/trust.ts";
import { ConnectClient } from "../../connectors/debezium/index.ts";
import { ProviderClient } from "../../connectors/payments/webhook/provider-client.ts";
import { RegistryClient } from "../../connectors/registry/confluent/registry-client.ts";
import { realClock } from "../api/real-clock.ts";
import { serverOfTest } from "../api/server.ts";
import { Authority, type Issued } from "./authority.ts";

const authority = new Authority();
const good = authority.issue({ commonName: "here", names: ["localhost", "127.0.0.1"] });

const refused: Readonly<Record<string, readonly [Issued, RegExp, RegExp]>> = {
  "that nobody trusts": [
    new Authority("Stranger").issue({ commonName: "here", names: ["127.0.0.1"] }),
    /unable to verify|self-signed|issuer/i,
    /REFOLD_TLS_CA/,
  ],
  "of another host": [
    authority.issue({ commonName: "elsewhere", names: ["elsewhere.example"] }),
    /altnames/,
    /another host's/,
  ],
  "that is over": [
    authority.issue({
      commonName: "here",
      names: ["127.0.0.1"],
      notAfter: new Date(Date.now() - 60_000),
    }),
    /expired/,
    /renew it/,
  ],
};

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "refold-tls-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function trusting(ca: string): Promise<void> {
  const folder = await folderOf({ "ca.pem": ca });
  trustAuthorities(join(folder, "ca.pem"));
}

async function listening(server: HttpServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server that answers everything with `{}` and remembers who asked. */
async function answering(issued: Issued): Promise<{ port: number; seen: (string | undefined)[] }> {
  const seen: (string | undefined)[] = [];
  const server = createServer(issued, (asked, answer) => {
    seen.push(asked.headers.authorization);
    answer.setHeader("content-type", "application/json").end('{"version":"4.0.0"}');
  });
  return { port: await listening(server), seen };
}

type Client = (url: string) => Promise<unknown>;

const clients: readonly (readonly [string, Client])[] = [
  ["the schema registry", (url) => new RegistryClient({ url, triesMax: 1 }).get("/subjects")],
  ["Kafka Connect", (url) => new ConnectClient({ url }).version()],
  [
    "the provider of payments",
    (url) => {
      const client = new ProviderClient({ url, key: new Uint8Array(32), clock: realClock });
      const { signal } = new AbortController();
      return client.post({ path: "/charges", key: "k", body: {}, signal });
    },
  ],
];

describe.for(clients)("%s over TLS", ([, ask]) => {
  test("is asked with user and password where its certificate is good", async () => {
    await trusting(authority.ca);
    const { port, seen } = await answering(good);
    await ask(`https://ann:s%3Acret@localhost:${port}`);
    expect(seen).toEqual([`Basic ${Buffer.from("ann:s:cret").toString("base64")}`]);
  });

  test.for(Object.entries(refused))(
    "refuses a certificate %s, and says why and what to do",
    async ([, [issued, why, advice]]) => {
      await trusting(authority.ca);
      const { port, seen } = await answering(issued);
      const error = await ask(`https://ann:hush-secret@127.0.0.1:${port}`).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const { message } = failureOf(error);
      expect(message).toMatch(why);
      expect(certificateAdvice(error)).toMatch(advice);
      expect(message).not.toContain("hush-secret");
      expect(seen).toEqual([]);
    },
  );
});

describe("the API over TLS", () => {
  async function apiOverTls(options = {}) {
    const { app } = await serverOfTest({ deps: { tls: good }, options });
    await app.listen({ host: "127.0.0.1", port: 0 });
    return (app.server.address() as AddressInfo).port;
  }

  async function get(port: number, settings: object): Promise<number | undefined> {
    const asked = request({ host: "127.0.0.1", port, path: "/modules", ...settings });
    const [answer] = (await once(asked.end(), "response")) as [
      { statusCode?: number; resume(): void },
    ];
    answer.resume();
    return answer.statusCode;
  }

  test("answers who trusts its authority, and no plain HTTP", async () => {
    const port = await apiOverTls();
    expect(await get(port, { ca: authority.ca, agent: false })).toBe(200);
    await expect(fetch(`http://127.0.0.1:${port}/modules`)).rejects.toThrow();
    await expect(get(port, { ca: new Authority("Stranger").ca, agent: false })).rejects.toThrow();
  });

  test("takes nothing older than TLS 1.2", async () => {
    const port = await apiOverTls();
    const versions = { minVersion: "TLSv1" as const, maxVersion: "TLSv1.1" as const };
    const old = { ...versions, ciphers: "DEFAULT@SECLEVEL=0", ca: authority.ca };
    const socket = connect({ host: "127.0.0.1", port, ...old });
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/SSL|ECONNRESET/);
  });

  test("opens WebSockets", async () => {
    const port = await apiOverTls();
    const socket = new WebSocket(`wss://127.0.0.1:${port}/ws/registration-updates?module=MA101`, {
      ca: authority.ca,
    });
    onTestFinished(() => socket.terminate());
    await once(socket, "open");
  });

  test("refuses connections above the bound of a client, with the reason", async () => {
    const port = await apiOverTls({ clientConnectionsMax: 1 });
    const held = connect({ host: "127.0.0.1", port, ca: authority.ca });
    onTestFinished(() => void held.destroy());
    await once(held, "secureConnect");
    expect(await get(port, { ca: authority.ca, agent: false })).toBe(429);
    held.destroy();
    await expect.poll(() => get(port, { ca: authority.ca, agent: false })).toBe(200);
  });
});

describe("settings of TLS", () => {
  test("a certificate without its key, and files that don't fit, are refused by name", async () => {
    const other = authority.issue({ commonName: "other" });
    const folder = await folderOf({ cert: good.cert, key: other.key, junk: "junk" });
    const at = (name: string) => join(folder, name);
    const read = (tlsCert: string, tlsKey: string) => () => serverTlsOf({ tlsCert, tlsKey });
    expect(() => serverTlsOf({ tlsCert: at("cert") })).toThrow(
      "--tls-cert and --tls-key go together",
    );
    expect(read(at("cert"), at("none"))).toThrow(/--tls-key: .*none can't be read \(ENOENT\)/);
    expect(read(at("cert"), at("key"))).toThrow(/the certificate's own/);
    expect(read(at("junk"), at("key"))).toThrow(/must be PEM/);
    expect(() => trustAuthorities(at("junk"))).toThrow(/REFOLD_TLS_CA: .*no certificate in PEM/);
  });

  test("Kafka and Redis take an authority, a certificate and its key", async () => {
    const { cert, key } = good;
    const folder = await folderOf({ ca: authority.ca, cert, key });
    const of = (prefix: string) => ({
      [`${prefix}_TLS_CA`]: join(folder, "ca"),
      [`${prefix}_TLS_CERT`]: join(folder, "cert"),
      [`${prefix}_TLS_KEY`]: join(folder, "key"),
    });
    const servers = serversOf({
      ...of("KAFKA"),
      ...of("REDIS"),
      KAFKA_BROKERS: "a:9093",
      REDIS_URL: "rediss://b:6380",
    });
    expect(servers.kafka?.tls).toEqual({ ca: authority.ca, cert, key });
    expect(servers.redisTls).toEqual({ ca: authority.ca, cert, key });
    expect(() => serversOf({ ...of("REDIS"), REDIS_URL: "redis://b" })).toThrow(/rediss:\/\//);
    const half = { KAFKA_BROKERS: "a:9093", KAFKA_TLS_CERT: join(folder, "cert") };
    expect(() => serversOf(half)).toThrow("KAFKA_TLS_CERT and KAFKA_TLS_KEY go together");
  });
});
