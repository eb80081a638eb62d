import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * Stands between clients and a server, and breaks what a network breaks: connections that end,
 * connections that can't be made, and answers that never come.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: { readonly host: string; readonly port: number } | undefined;
  #isCut = false;
  #answersToLose = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (client) => this.#join(client));
  }

  static async listen(): Promise<FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FaultProxy(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `host:port` of the server. */
  leadTo(address: string): void {
    const [host = "", port = ""] = address.split(":");
    this.#target = { host, port: Number(port) };
  }

  /** Ends all connections, and every new one at once, until `restore`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#isCut = false;
  }

  /** The next answers reach nobody: what carries them ends instead. */
  loseAnswers(count: number): void {
    this.#answersToLose += count;
  }

  get answersToLose(): number {
    return this.#answersToLose;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    if (this.#isCut || this.#target === undefined) {
      client.destroy();
      return;
    }
    const server = connect(this.#target);
    const both = [client, server];
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        for (const other of both) other.destroy();
      });
    }
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => {
      if (this.#answersToLose > 0) {
        this.#answersToLose -= 1;
        client.destroy();
      } else client.write(bytes);
    });
  }
}
