import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export interface AcceptorsOptions {
  /** What speaks on the connections; it listens already, with `reusePort`. */
  readonly server: Server;
  /** Listeners beside its own. */
  readonly count: number;
}

/**
 * Whether one port can have several listeners, among whom the system spreads connections. (Elsewhere
 * the option of that name means something else, or is refused.)
 */
export const canShareAPort = process.platform === "linux";

/**
 * Listeners on a server's port that hand it their connections.
 *
 * A listener accepts one connection in each turn of the event loop (libuv, since its version 1.45).
 * Turns of a busy process take tens of milliseconds, so that with one listener some ten new clients a
 * second would be let in, and the others wait in the system's queue, unseen, until they give up.
 */
export class Acceptors implements AsyncDisposable {
  readonly #server: Server;
  readonly #listeners: Server[] = [];
  #open = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#open += 1;
      socket.once("close", () => void (this.#open -= 1));
    });
  }

  static async beside({ server, count }: AcceptorsOptions): Promise<Acceptors> {
    const acceptors = new Acceptors(server);
    try {
      for (let made = 0; made < count; made += 1) await acceptors.#listen();
    } catch (error) {
      await acceptors[Symbol.asyncDispose]();
      throw error;
    }
    return acceptors;
  }

  /** Accepts nothing more; resolves when the connections that were accepted here have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#listeners.map((listener) => new Promise((resolve) => listener.close(resolve))),
    );
  }

  async #listen(): Promise<void> {
    const { address, port } = this.#server.address() as AddressInfo;
    // As Node's HTTP server has its own listener: a client may end its half before the answer.
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#hand(socket),
    );
    this.#listeners.push(listener);
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen({ host: address, port, reusePort: true }, resolve);
    });
  }

  /** The server's own maximum counts those that it has accepted itself. */
  #hand(socket: Socket): void {
    if (this.#open >= this.#server.maxConnections) socket.destroy();
    else this.#server.emit("connection", socket);
  }
}
