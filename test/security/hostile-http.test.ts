import { describe, expect, onTestFinished, test } from "vitest";

import { serverOfTest } from "../api/server.ts";
import { RawClient } from "../api/limits/raw-client.ts";

async function listening() {
  const { app, campus } = await serverOfTest();
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const before = campus.history.facts.length;
  onTestFinished(() => expect(campus.history.facts.length).toBe(before));
  return url;
}

/** What the server answers to these bytes, and whether it goes on to listen to the connection. */
async function answersTo(url: string, bytes: string | Buffer): Promise<RawClient> {
  const client = await RawClient.open(url);
  client.write(bytes);
  await expect
    .poll(() => client.statuses.length > 0 || client.closed, { timeout: 20_000 })
    .toBe(true);
  return client;
}

const post = (headers: string, body: string): string =>
  `POST /registrations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}\r\n${body}`;

const hidden = "POST /registrations HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";

describe("a request that could be read in two ways", () => {
  const smuggled: Readonly<Record<string, string>> = {
    "both Content-Length and Transfer-Encoding": post(
      "content-length: 4\r\ntransfer-encoding: chunked\r\n",
      `0\r\n\r\n${hidden}`,
    ),
    "two lengths that differ": post("content-length: 2\r\ncontent-length: 90\r\n", `{}${hidden}`),
    "a length in a list": post("content-length: 2, 90\r\n", `{}${hidden}`),
    "a negative length": post("content-length: -1\r\n", hidden),
    "a length with a sign": post("content-length: +2\r\n", `{}${hidden}`),
    "a coding that only looks like chunked": post(
      "transfer-encoding: xchunked\r\n",
      `0\r\n\r\n${hidden}`,
    ),
    "chunked that isn't the last coding": post(
      "transfer-encoding: chunked, gzip\r\n",
      `0\r\n\r\n${hidden}`,
    ),
    "a chunk size that is none": post("transfer-encoding: chunked\r\n", `zz\r\n${hidden}`),
    "a chunk size beyond 64 bits": post(
      "transfer-encoding: chunked\r\n",
      `fffffffffffffffff\r\n${hidden}`,
    ),
    "a folded header": `GET /modules HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n 2\r\n\r\n`,
    "a space before the colon": "GET /modules HTTP/1.1\r\nhost: x\r\nx-a : 1\r\n\r\n",
    "a bare line feed": "GET /modules HTTP/1.1\nhost: x\n\n",
    "a carriage return within a header": "GET /modules HTTP/1.1\r\nhost: x\r\nx-a: 1\r2\r\n\r\n",
    "a zero byte within a header": "GET /modules HTTP/1.1\r\nhost: x\r\nx-a: 1\u00002\r\n\r\n",
    "no host": "GET /modules HTTP/1.1\r\n\r\n",
    "no HTTP": "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\r\n\r\n",
    "another version": "GET /modules HTTP/3.7\r\nhost: x\r\n\r\n",
  };

  test.for(Object.entries(smuggled))(
    "(%s) is refused, and its connection closed",
    async ([, bytes]) => {
      const client = await answersTo(await listening(), bytes);
      await expect.poll(() => client.closed, { timeout: 20_000 }).toBe(true);
      expect(client.statuses.length).toBeLessThanOrEqual(1);
      for (const status of client.statuses) expect(status).toBe(400);
    },
  );
});

describe("headers", () => {
  test("that are many or huge are refused with 431, and the server goes on", async () => {
    const url = await listening();
    const many = Array.from({ length: 3_000 }, (_, at) => `x-${at}: 1\r\n`).join("");
    const huge = `x: ${"y".repeat(100_000)}\r\n`;
    for (const headers of [many, huge]) {
      const client = await answersTo(url, `GET /modules HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
      expect(client.statuses).toEqual([431]);
    }
    expect((await fetch(`${url}/modules`)).status).toBe(200);
  });

  test("that a client repeats or makes up change nothing that others see", async () => {
    const url = await listening();
    const headers = {
      "x-forwarded-host": "evil",
      "x-http-method-override": "DELETE",
      forwarded: "host=evil",
    };
    const response = await fetch(`${url}/modules`, { headers });
    expect(response.status).toBe(200);
    expect(JSON.stringify([...response.headers]) + (await response.text())).not.toContain("evil");
  });
});

describe("a path", () => {
  const paths = [
    "/%00",
    "/modules/%00",
    "/modules/%c0%ae%c0%ae",
    "/modules/%e0%80%af",
    "/modules/..%2f..%2f..%2fetc%2fpasswd",
    "/modules/%252e%252e%252fpackage.json",
    "/../package.json",
    "/..%5c..%5cpackage.json",
    "/page/..%2f..%2fpackage.json",
    "/assets/../../package.json",
    "//etc/passwd",
    "/modules/%zz",
    "/modules/%",
    "/modules/%f0%28%8c%28",
    "/modules;a=b/../x",
    "/.git/config",
    "/.env",
    `/modules/${"a/".repeat(500)}`,
  ];

  test.for(paths)("(%s) leads to no file, and to no 5xx", async (path) => {
    const client = await answersTo(
      await listening(),
      `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    await expect.poll(() => client.closed, { timeout: 20_000 }).toBe(true);
    expect([400, 404, 414]).toContain(client.statuses[0]);
    expect(client.received).not.toMatch(/"dependencies"|root:x:|\[core\]/);
  });
});

describe("a query string", () => {
  const queries = [
    "limit[]=1",
    "limit[a]=1",
    "limit=1&limit=2",
    "limit=1e3",
    "limit=%00",
    "__proto__[x]=1",
    "constructor.prototype=1",
    "cursor=..%2f",
    "=",
    "&&&&",
    "limit",
    Array.from({ length: 900 }, (_, at) => `k${at}`).join("&"),
  ];

  test.for(queries)("(%s) is refused, or taken for what it is", async (query) => {
    const url = await listening();
    const { status } = await fetch(`${url}/modules?${query}`);
    expect([200, 400, 414]).toContain(status);
    expect(Object.prototype).not.toHaveProperty("x");
  });
});

describe("a JSON body", () => {
  const utf8 = (...bytes: readonly number[]) => Buffer.from(bytes);
  const text = (value: string) => Buffer.from(value);
  const bodies: Readonly<Record<string, Buffer>> = {
    "that is nested 8,000 deep": text(`${"[".repeat(8_000)}${"]".repeat(8_000)}`),
    "with __proto__": text('{"moduleCode":"A","studentId":"b","__proto__":{"x":1}}'),
    "with an escaped __proto__": text(
      '{"moduleCode":"A","studentId":"b","\\u005f_proto__":{"x":1}}',
    ),
    "with a number beyond all": text('{"moduleCode":1e999,"studentId":"b"}'),
    "with a number of 10,000 digits": text(`{"moduleCode":${"9".repeat(10_000)}}`),
    "with a lone surrogate": text('{"moduleCode":"\\ud800","studentId":"b"}'),
    "with a zero byte": text('{"moduleCode":"A\\u0000","studentId":"b"}'),
    "behind a byte-order mark": Buffer.concat([utf8(0xef, 0xbb, 0xbf), text("{}")]),
    "in UTF-16": Buffer.from('{"moduleCode":"A","studentId":"b"}', "utf16le"),
    "with invalid UTF-8": Buffer.concat([text('{"moduleCode":"'), utf8(0xc3, 0x28), text('"}')]),
    "with overlong UTF-8": Buffer.concat([text('{"moduleCode":"'), utf8(0xc0, 0xaf), text('"}')]),
    "with a duplicate key of another type": text(
      '{"moduleCode":"A","studentId":"b","studentId":{}}',
    ),
    "that ends early": text('{"moduleCode":"A"'),
    "with something behind it": text("{}{}"),
    "with a comment": text("{/* */}"),
    "that is no object": text('"moduleCode"'),
    "of 20,000 bytes": text(JSON.stringify({ moduleCode: "x".repeat(20_000) })),
  };

  test.for(Object.entries(bodies))("%s is refused with a problem", async ([, body]) => {
    const url = await listening();
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${url}/registrations`, {
      method: "POST",
      headers,
      body: new Uint8Array(body),
    });
    expect([400, 413]).toContain(response.status);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    expect(Object.prototype).not.toHaveProperty("x");
  });
});
