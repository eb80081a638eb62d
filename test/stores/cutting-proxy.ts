import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface CuttingProxy extends AsyncDisposable {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** From the next message with this text on, the server gets what is sent, and its answer is lost. */
  readonly loseAnswerTo: (text: string) => void;
}

/** Stands before a database and cuts a connection when the answer to a certain message comes. */
export async function cuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let cutAt: string | undefined;
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    let cutting = false;
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        database.destroy();
      });
    }
    client.on("data", (bytes) => {
      if (cutAt !== undefined && bytes.includes(cutAt)) {
        cutAt = undefined;
        cutting = true;
      }
      database.write(bytes);
    });
    database.on("data", (bytes) => {
      if (cutting) client.destroy();
      else client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    loseAnswerTo: (text) => {
      cutAt = text;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
