import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import { Frames } from "../../connectors/kafka/connection/frames.ts";
import { WireReader } from "../../connectors/kafka/wire/wire-reader.ts";
import { WireWriter } from "../../connectors/kafka/wire/wire-writer.ts";
import { batchLayout } from "../../engine/record-batch/index.ts";

/** A batch as it came, whatever was answered. */
export interface BatchSeen {
  readonly producerId: bigint;
  readonly sequence: number;
  readonly count: number;
}

const topicName = "scripted";
const topicId = Buffer.alloc(16, 7);

/**
 * A broker that leads one topic of one partition and answers appends with the error codes that a
 * test puts down, one after the other, and then with success: for what a real broker does rarely.
 */
export class ScriptedBroker implements AsyncDisposable {
  readonly topic = topicName;
  readonly seen: BatchSeen[] = [];
  /** Error codes of the next appends. */
  readonly script: number[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #producers = 0;
  #end = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      const frames = new Frames(10_000_000, (frame) => socket.write(this.#answer(frame)));
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => frames.push(chunk));
    });
  }

  static async listen(): Promise<ScriptedBroker> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ScriptedBroker(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(frame: Buffer): Buffer {
    const request = new WireReader(frame);
    const apiKey = request.int16();
    request.int16();
    const answer = new WireWriter().int32(0).int32(request.int32());
    request.string();
    switch (apiKey) {
      case 18:
        this.#versions(answer);
        break;
      case 3:
        this.#metadata(answer);
        break;
      case 22:
        answer
          .int32(0)
          .int16(0)
          .bigInt64(BigInt((this.#producers += 1)))
          .int16(0);
        break;
      case 0:
        this.#produce(request, answer);
        break;
      default:
        throw new Error(`The scripted broker has no answer to request ${apiKey}.`);
    }
    const bytes = answer.finish();
    bytes.writeInt32BE(bytes.length - 4, 0);
    return bytes;
  }

  #versions(answer: WireWriter): void {
    answer.int16(0).array([0, 1, 2, 3], (to, key) => to.int16(key).int16(0).int16(20));
  }

  #metadata(answer: WireWriter): void {
    const replicas = [1];
    answer
      .noTags()
      .int32(0)
      .compactArray([this.port], (to, port) =>
        to.int32(1).compactString("127.0.0.1").int32(port).compactString(null).noTags(),
      )
      .compactString("cluster")
      .int32(1)
      .compactArray([topicName], (to, name) =>
        to
          .int16(0)
          .compactString(name)
          .raw(topicId)
          .boolean(false)
          .compactArray([0], (each, partition) => {
            each.int16(0).int32(partition).int32(1).int32(0);
            for (const list of [replicas, replicas, []]) {
              each.compactArray(list, (node, id) => node.int32(id));
            }
            each.noTags();
          })
          .int32(0)
          .noTags(),
      )
      .int32(0)
      .noTags();
  }

  #produce(request: WireReader, answer: WireWriter): void {
    request.nullableString();
    request.int16();
    request.int32();
    request.array(() => {
      request.string();
      request.array(() => {
        request.int32();
        this.#take(request.take(request.int32()));
      });
    });
    const errorCode = this.script.shift() ?? 0;
    const count = this.seen.at(-1)?.count ?? 0;
    const baseOffset = errorCode === 0 ? this.#end : -1;
    if (errorCode === 0) this.#end += count;
    answer.array([topicName], (to, name) =>
      to
        .string(name)
        .array([0], (each, partition) =>
          each.int32(partition).int16(errorCode).int64(baseOffset).int64(-1).int64(0),
        ),
    );
    answer.int32(0);
  }

  #take(batch: Buffer): void {
    this.seen.push({
      producerId: batch.readBigInt64BE(batchLayout.producerId),
      sequence: batch.readInt32BE(batchLayout.baseSequence),
      count: batch.readInt32BE(batchLayout.count),
    });
  }
}
