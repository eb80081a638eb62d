import { connect, type Socket } from "node:net";

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * One keep-alive connection with one request in flight. It knows just the part of HTTP/1.1 that the
 * API speaks (a length, no chunks), so that the client doesn't take the processors that it measures.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #received = "";
  #answered: PromiseWithResolvers<RawAnswer> | undefined;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    // Bytes as characters: lengths are counted in bytes.
    socket.setEncoding("latin1").setNoDelay(true);
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", (error) => this.#answered?.reject(error));
    socket.on("close", () => this.#answered?.reject(new Error("The connection was closed.")));
  }

  /** `from`: the local address that the server sees. */
  static open(url: string, from = "127.0.0.1"): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), localAddress: from });
      socket.once("connect", () => resolve(new Connection(socket, host)));
      socket.once("error", reject);
    });
  }

  get(path: string): Promise<RawAnswer> {
    return this.#send(`GET ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n\r\n`);
  }

  post(
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawAnswer> {
    const text = JSON.stringify(body);
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return this.#send(
      `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: application/json\r\n` +
        `${more.join("")}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
  }

  /** On a connection that was closed before, nothing would tell that no answer comes. */
  #send(text: string): Promise<RawAnswer> {
    const answered = Promise.withResolvers<RawAnswer>();
    this.#answered = answered;
    if (this.#socket.destroyed) answered.reject(new Error("The connection was closed before."));
    else this.#socket.write(text);
    return answered.promise;
  }

  close(): void {
    this.#answered = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    const end = headEnd + 4 + length;
    if (this.#received.length < end) return;
    const body = this.#received.slice(headEnd + 4, end);
    this.#received = this.#received.slice(end);
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.resolve({ status: Number(head.slice(9, 12)), head, body });
  }
}

/** A header of a raw answer. */
export const headerOf = ({ head }: RawAnswer, name: string): string | undefined =>
  new RegExp(`\r\n${name}: ([^\r]*)`, "i").exec(head)?.[1];
