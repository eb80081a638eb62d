import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { RedisConnection } from "../../connectors/redis/index.ts";
import { freePort } from "../../stack/services/process.ts";
import { startRedis } from "../support/redis-server.ts";
import { Authority, type Issued } from "./authority.ts";

const authority = new Authority();
const good = authority.issue({ commonName: "here", names: ["127.0.0.1"] });
const password = "correct-horse";

/** A Redis that speaks TLS on one port, wants a client's certificate, and knows one user. */
async function redisWithTls(issued: Issued): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "refold-tls-redis-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = { "ca.pem": authority.ca, "cert.pem": issued.cert, "key.pem": issued.key };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const port = await freePort();
  const server = await startRedis({
    settings: {
      "tls-port": String(port),
      "tls-cert-file": join(folder, "cert.pem"),
      "tls-key-file": join(folder, "key.pem"),
      "tls-ca-cert-file": join(folder, "ca.pem"),
    },
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  await server.with((redis) =>
    redis.call("ACL", "SETUSER", "ann", "on", `>${password}`, "~*", "+@all"),
  );
  return `rediss://ann:${password}@127.0.0.1:${port}`;
}

function connection(url: string, tls: object): RedisConnection {
  const made = new RedisConnection({ url, name: "test", tls });
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

test("commands go over TLS, under a user's name, with a certificate of the client's own", async () => {
  const url = await redisWithTls(good);
  const client = authority.issue({ commonName: "client" });
  const redis = connection(url, { ca: authority.ca, ...client });
  expect(await redis.connectedWithin(5_000)).toBe(true);
  expect(await redis.command("Asking who we are", (one) => one.call("ACL", "WHOAMI"))).toBe("ann");
  expect(await connection(url, { ca: authority.ca }).connectedWithin(500)).toBe(false);
});

test("a certificate that nobody trusts, or of another host, is refused with the reason", async () => {
  const url = await redisWithTls(good);
  const client = authority.issue({ commonName: "client" });
  const stranger = connection(url, { ...client, ca: new Authority("Stranger").ca });
  expect(await stranger.connectedWithin(500)).toBe(false);
  expect(stranger.fault).toMatch(/certificate|verify/);
  const elsewhere = authority.issue({ commonName: "x", names: ["elsewhere.example"] });
  const other = connection(await redisWithTls(elsewhere), { ca: authority.ca, ...client });
  expect(await other.connectedWithin(500)).toBe(false);
  expect(other.fault).toMatch(/altnames/);
  expect(other.fault).not.toContain(password);
});
