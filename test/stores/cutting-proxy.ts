import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface CuttingProxy extends AsyncDisposable {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** From the next message with this text on, the server gets what is sent, and its answer is lost. */
  readonly loseAnswerTo: (text: string) => void;
  /** The server gets what comes before the next message with this text, and nothing from it on. */
  readonly cutBefore: (text: string) => void;
}

interface Cut {
  readonly text: string;
  readonly passes: "the message" | "what comes before it";
}

/** Stands before a database and cuts a connection at a certain message, or when its answer comes. */
export async function cuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let cutAt: Cut | undefined;
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    let cutting = false;
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    database.on("close", () => client.destroy());
    // The server carries out what it has got, and then sees that nobody is there.
    client.on("close", () => database.end());
    client.on("data", (bytes: Buffer) => {
      const at = cutAt === undefined ? -1 : bytes.indexOf(cutAt.text);
      if (cutAt === undefined || at < 0) {
        database.write(bytes);
        return;
      }
      const { passes } = cutAt;
      cutAt = undefined;
      cutting = true;
      // Part of a message is never carried out.
      if (passes === "the message") database.write(bytes);
      else database.end(bytes.subarray(0, at));
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
      cutAt = { text, passes: "the message" };
    },
    cutBefore: (text) => {
      cutAt = { text, passes: "what comes before it" };
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
