import { connect, type Socket } from "node:net";

import { onTestFinished } from "vitest";

/** A connection on which a test writes what it likes. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => (this.received += text));
    socket.on("error", () => undefined);
    socket.on("close", () => (this.closed = true));
  }

  static open(url: string, localAddress = "127.0.0.1"): Promise<RawClient> {
    const { hostname: host, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port), localAddress });
      onTestFinished(() => void socket.destroy());
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RawClient(socket)));
    });
  }

  write(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** The statuses of the answers so far. */
  get statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  /** Bodies of the problems so far. */
  get codes(): string[] {
    return [...this.received.matchAll(/"code":"([a-z-]+)"/g)].map(([, code]) => code ?? "");
  }
}

export const get = (path: string, headers = ""): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`;
