import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

import type { ApiServer } from "../context.ts";

/**
 * Ends a server's connections when it closes: those with a request under way when it has been
 * answered, all others at once.
 *
 * Node and Fastify alone leave two kinds open: connections on which nothing was ever asked, until the
 * time for headers is up, and those whose request was under way, until `keepAliveMs` has passed.
 */
export function endConnections(app: ApiServer): void {
  const connections = new OpenConnections();
  app.server.on("connection", (socket: Socket) => connections.add(socket));
  app.server.on("secureConnection", (socket: Socket) => connections.secured(socket));
  app.addHook("onRequest", (request, reply, done) => {
    reply.raw.once("close", connections.begun(request.raw.socket));
    done();
  });
  app.addHook("preClose", async () => {
    await connections.end();
  });
}

interface Connection {
  /** What ends it: with TLS what speaks that, once there is one. */
  socket: Socket;
  underWay: number;
}

class OpenConnections {
  readonly #open = new Map<string, Connection>();
  #ending = false;

  add(socket: Socket): void {
    if (this.#ending) {
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    const connection = { socket, underWay: 0 };
    this.#open.set(name, connection);
    socket.once("close", () => {
      // The name may be another connection's by now.
      if (this.#open.get(name) === connection) this.#open.delete(name);
    });
  }

  /** A handshake has ended on a connection: its requests come from another socket, of one name. */
  secured(socket: Socket): void {
    const connection = this.#open.get(nameOf(socket));
    if (connection !== undefined) connection.socket = socket;
  }

  /** A request has come; what is returned is to be called once, when it has been answered. */
  begun(socket: Socket): () => void {
    const connection = this.#open.get(nameOf(socket));
    if (connection === undefined) return () => undefined;
    connection.underWay += 1;
    return () => {
      connection.underWay -= 1;
      if (this.#ending) void endIdle([connection]);
    };
  }

  async end(): Promise<void> {
    this.#ending = true;
    await endIdle([...this.#open.values()]);
  }
}

/** What clients have sent already is read first, and answered: a turn of the event loop reads it. */
async function endIdle(connections: readonly Connection[]): Promise<void> {
  // The first turn may be one whose reading is over.
  await turn();
  await turn();
  for (const { socket, underWay } of connections) if (underWay === 0) socket.destroySoon();
}

/** Of both sockets of a connection with TLS. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
