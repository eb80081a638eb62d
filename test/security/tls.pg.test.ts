import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { refold } from "../e2e/refold-process.ts";
import { startThrowAwayPostgres } from "../support/own-postgres.ts";
import { Authority, type Issued } from "./authority.ts";

const authority = new Authority();
const good = authority.issue({ commonName: "here", names: ["localhost", "127.0.0.1"] });

/** A server with TLS for one certificate after the other: it reads its files anew at a reload. */
let server: string;
let folder: string;
let end: () => Promise<void>;

async function serve({ cert, key }: Issued): Promise<void> {
  const { uid, gid } = await stat(dataFolder);
  for (const [name, text] of Object.entries({ "server.crt": cert, "server.key": key })) {
    const path = join(dataFolder, name);
    await writeFile(path, text, { mode: 0o600 });
    await chmod(path, 0o600);
    await chown(path, uid, gid);
  }
  await onServer("alter system set ssl = on");
  await onServer("select pg_reload_conf()");
}

let dataFolder: string;

async function onServer(sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function urlWith(parameters: Readonly<Record<string, string>>): string {
  const url = new URL(server);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

const verified = () => ({ sslmode: "verify-full", sslrootcert: join(folder, "ca.pem") });

beforeAll(async () => {
  const started = await startThrowAwayPostgres();
  ({ end } = started);
  server = started.server.url;
  const [found] = await onServer("select current_setting('data_directory') as folder");
  dataFolder = String(found?.["folder"]);
  folder = await mkdtemp(join(tmpdir(), "refold-tls-pg-"));
  await writeFile(join(folder, "ca.pem"), authority.ca);
});

afterAll(async () => {
  await end();
  await rm(folder, { recursive: true });
});

test("a server without TLS is refused where the URL asks for it", async () => {
  const url = urlWith(verified());
  const { code, err } = await refold(["roles", "apply", "--database-url", url]);
  expect(code).toBe(6);
  expect(err).toContain("The database doesn't speak TLS, which its URL asks for");
});

test("commands work over TLS with a server whose certificate is good", async () => {
  await serve(good);
  const url = urlWith(verified());
  const applied = await refold(["roles", "apply", "--database-url", url, "--prefix", "over_tls_"]);
  expect(applied).toMatchObject({ code: 0, err: "" });
});

test.for([
  [
    "nobody that is trusted",
    new Authority("Stranger").issue({ commonName: "x", names: ["127.0.0.1"] }),
    /REFOLD_TLS_CA/,
  ],
  [
    "another host",
    authority.issue({ commonName: "x", names: ["elsewhere.example"] }),
    /another host's/,
  ],
  [
    "a time that is over",
    authority.issue({
      commonName: "x",
      names: ["127.0.0.1"],
      notAfter: new Date(Date.now() - 60_000),
    }),
    /It is over: renew it/,
  ],
] as const)(
  "refuses a certificate of %s, and says why and what to do",
  async ([, issued, advice]) => {
    await serve(issued);
    const { code, err } = await refold(["status", "--database-url", urlWith(verified())]);
    expect(code).toBe(6);
    expect(err).toMatch(/^refold: The database's certificate is refused \(/);
    expect(err).toMatch(advice);
    expect(err).not.toContain(new URL(server).password);
  },
);
