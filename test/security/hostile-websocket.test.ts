import { randomBytes } from "node:crypto";

import { describe, expect, onTestFinished, test } from "vitest";

import { RawClient } from "../api/limits/raw-client.ts";
import { serverOfTest } from "../api/server.ts";

const opening = (headers = ""): string =>
  "GET /ws/registration-updates?module=MA101 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\n" +
  `upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n${headers}\r\n`;

const key = randomBytes(16).toString("base64");

async function listening(): Promise<string> {
  const { app } = await serverOfTest();
  return app.listen({ host: "127.0.0.1", port: 0 });
}

async function opened(url: string): Promise<RawClient> {
  const client = await RawClient.open(url);
  client.socket.setEncoding("latin1");
  client.write(opening());
  await expect.poll(() => client.statuses, { timeout: 20_000 }).toEqual([101]);
  return client;
}

interface FrameOptions {
  readonly masked?: "no";
  /** FIN, the reserved bits and the opcode. */
  readonly first: number;
  readonly payload?: Uint8Array;
  /** What the header says, where it isn't the payload's. */
  readonly length?: bigint;
}

/** A client's frame (RFC 6455, section 5.2). */
function frame({ first, payload = new Uint8Array(), masked, length }: FrameOptions): Buffer {
  const mask = masked === "no" ? 0 : 0x80;
  const claimed = length ?? BigInt(payload.length);
  const head =
    claimed < 126n
      ? Buffer.from([first, mask | Number(claimed)])
      : Buffer.concat([Buffer.from([first, mask | 127]), Buffer.alloc(8)]);
  if (claimed >= 126n) head.writeBigUInt64BE(claimed, 2);
  if (masked === "no") return Buffer.concat([head, payload]);
  const maskKey = randomBytes(4);
  const body = Buffer.from(payload.map((byte, at) => byte ^ (maskKey[at % 4] ?? 0)));
  return Buffer.concat([head, maskKey, body]);
}

const close = (code: number, reason = ""): Uint8Array => {
  const bytes = Buffer.alloc(2 + reason.length);
  bytes.writeUInt16BE(code);
  bytes.write(reason, 2);
  return bytes;
};

const text = 0x81;
const ping = 0x89;

describe("a WebSocket frame", () => {
  const broken: Readonly<Record<string, Buffer>> = {
    "that isn't masked": frame({ first: text, payload: Buffer.from("x"), masked: "no" }),
    "with a reserved bit": frame({ first: 0xc1, payload: Buffer.from("x") }),
    "with a reserved opcode": frame({ first: 0x83 }),
    "with a reserved control opcode": frame({ first: 0x8b }),
    "of control that is fragmented": frame({ first: 0x09 }),
    "of control that is too long": frame({ first: ping, payload: Buffer.alloc(126) }),
    "that goes on with nothing begun": frame({ first: 0x80, payload: Buffer.from("x") }),
    "that begins anew within a message": Buffer.concat([
      frame({ first: 0x01, payload: Buffer.from("x") }),
      frame({ first: text, payload: Buffer.from("x") }),
    ]),
    "of text with invalid UTF-8": frame({ first: text, payload: Buffer.from([0xc3, 0x28]) }),
    "of close with one byte": frame({ first: 0x88, payload: Buffer.from([3]) }),
    "of close with a code that nobody may send": frame({ first: 0x88, payload: close(1006) }),
    "of close with invalid UTF-8": frame({
      first: 0x88,
      payload: Buffer.from([3, 232, 0xc3, 0x28]),
    }),
    "that claims to have 2^62 bytes": frame({ first: text, length: 2n ** 62n }),
    "that claims to have 2^64 - 1 bytes": frame({ first: text, length: 2n ** 64n - 1n }),
    "of more bytes than are taken": frame({ first: text, payload: Buffer.alloc(2_000, 120) }),
  };

  test.for(Object.entries(broken))("%s ends its connection, and no other", async ([, bytes]) => {
    const url = await listening();
    const other = await opened(url);
    const client = await opened(url);
    client.write(bytes);
    await expect.poll(() => client.closed, { timeout: 20_000 }).toBe(true);
    expect(other.closed).toBe(false);
    expect((await fetch(`${url}/modules`)).status).toBe(200);
  });

  test.for([
    ["pings", frame({ first: ping, payload: Buffer.from("x") })],
    ["fragments", frame({ first: 0x00, payload: Buffer.alloc(100, 120) })],
    ["empty fragments", frame({ first: 0x00 })],
  ] as const)("in a flood of %s leaves the server answering others", async ([, one]) => {
    const url = await listening();
    const client = await opened(url);
    client.write(frame({ first: 0x01, payload: Buffer.from("x") }));
    const flood = Buffer.concat(Array.from({ length: 20_000 }, () => one));
    client.write(flood);
    const began = process.cpuUsage();
    expect((await fetch(`${url}/modules`)).status).toBe(200);
    client.socket.destroy();
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(5_000);
    expect((await fetch(`${url}/modules`)).status).toBe(200);
  });
});

describe("an upgrade", () => {
  const wrong: Readonly<Record<string, string>> = {
    "without a key": opening().replace(/sec-websocket-key: .*\r\n/, ""),
    "with a key that is none": opening().replace(key, "x"),
    "of another version": opening().replace("version: 13", "version: 12"),
    "to something else": opening().replace("upgrade: websocket", "upgrade: h2c"),
    "by another method": opening().replace("GET", "POST"),
    "of a path without sockets": opening().replace("/ws/registration-updates", "/modules"),
    "of too many modules": opening().replace("module=MA101", "module=x&".repeat(80)),
  };

  test.for(Object.entries(wrong))("%s opens nothing that stays", async ([, bytes]) => {
    const url = await listening();
    const client = await RawClient.open(url);
    onTestFinished(() => void client.socket.destroy());
    client.write(bytes);
    await expect
      .poll(() => client.statuses.length > 0 || client.closed, { timeout: 20_000 })
      .toBe(true);
    await expect.poll(() => client.closed, { timeout: 5_000 }).toBe(true);
    for (const status of client.statuses) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });
});
