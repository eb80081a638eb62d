import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import { FatalError, TransientError } from "../../../engine/errors.ts";
import { apiVersions, type ApiRange } from "../requests/api-versions.ts";
import type { KafkaRequest } from "../wire/request.ts";
import { WireReader } from "../wire/wire-reader.ts";
import { WireWriter } from "../wire/wire-writer.ts";
import { authenticate } from "./authenticate.ts";
import { Frames } from "./frames.ts";
import type { Address, KafkaConnectionOptions } from "./options.ts";

export interface RequestOptions {
  /** Time that the broker may wait before it answers, beside the usual timeout. */
  readonly waitMs?: number;
}

interface Pending {
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const requestHeaderBytes = 14;

/**
 * One connection to one broker. A broker works on one request of a connection at a time, so who
 * lets the broker wait (readers) has a connection of its own.
 *
 * Any failure ends the connection and all requests on it, with a TransientError; nothing is sent
 * again, and nothing reconnects by itself.
 */
export class BrokerConnection {
  readonly address: Address;
  readonly #options: KafkaConnectionOptions;
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  #correlationId = 0;
  #failure: Error | undefined;

  private constructor(address: Address, options: KafkaConnectionOptions, socket: Socket) {
    this.address = address;
    this.#options = options;
    this.#socket = socket;
    const frames = new Frames(options.answerBytesMax, (frame) => this.#answer(frame));
    socket.on("data", (chunk: Buffer) => {
      try {
        frames.push(chunk);
      } catch (error) {
        this.#fail(error as Error);
      }
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the broker closed the connection")));
  }

  /**
   * Connects, asks for the broker's versions and authenticates.
   *
   * @throws TransientError when the broker can't be reached.
   * @throws FatalError `kafka-authentication`, `kafka-tls` or `kafka-version`.
   */
  static async open(address: Address, options: KafkaConnectionOptions): Promise<BrokerConnection> {
    const startedMs = performance.now();
    const socket = await openSocket(address, options);
    const connection = new BrokerConnection(address, options, socket);
    // A broker that is just starting takes connections long before it answers.
    const leftMs = Math.max(0, startedMs + options.connectTimeoutMs - performance.now());
    const timer = setTimeout(() => connection.#fail(notConnected(options)), leftMs);
    try {
      const { versions } = await connection.request(apiVersions);
      if (options.sasl) await authenticate(connection, options.sasl, versions);
      assertVersions(versions, address);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get closed(): boolean {
    return this.#failure !== undefined;
  }

  async request<Answer>(
    request: KafkaRequest<Answer>,
    options: RequestOptions = {},
  ): Promise<Answer> {
    const body = new WireWriter();
    // The tagged fields of a flexible request's header: none.
    if (request.flexible) body.noTags();
    request.encode(body);
    const payload = await this.exchange(request, body.finish(), options);
    const reader = new WireReader(payload);
    if (request.flexible) reader.skipTags();
    return request.decode(reader);
  }

  /** Sends a request's body and gives its answer's, as bytes. */
  exchange(
    api: Pick<KafkaRequest<unknown>, "name" | "apiKey" | "apiVersion">,
    body: Uint8Array,
    { waitMs = 0 }: RequestOptions = {},
  ): Promise<Buffer> {
    if (this.#failure) return Promise.reject(this.#lost(this.#failure));
    const correlationId = this.#correlationId;
    this.#correlationId = (correlationId + 1) & 0x7fffffff;
    const timeoutMs = this.#options.requestTimeoutMs + waitMs;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new Error(`${api.name} was not answered within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(correlationId, { resolve, reject, timer });
      this.#send(api, correlationId, body);
    });
  }

  /** Ends it at once; what waits for an answer fails. */
  close(): void {
    this.#fail(new Error("the connection was closed on this side"));
  }

  #send(
    { apiKey, apiVersion }: Pick<KafkaRequest<unknown>, "apiKey" | "apiVersion">,
    correlationId: number,
    body: Uint8Array,
  ): void {
    const header = new WireWriter(requestHeaderBytes + this.#options.clientId.length * 3)
      .int32(0)
      .int16(apiKey)
      .int16(apiVersion)
      .int32(correlationId)
      .string(this.#options.clientId)
      .finish();
    header.writeInt32BE(header.length - 4 + body.length, 0);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(body);
    this.#socket.uncork();
  }

  #answer(frame: Buffer): void {
    const correlationId = frame.readInt32BE(0);
    const pending = this.#pending.get(correlationId);
    if (!pending) {
      this.#fail(new Error(`an answer came to request ${correlationId}, which waits for none`));
      return;
    }
    this.#pending.delete(correlationId);
    clearTimeout(pending.timer);
    pending.resolve(frame.subarray(4));
  }

  #fail(cause: Error): void {
    if (this.#failure) return;
    this.#failure = cause;
    this.#socket.destroy();
    const error = this.#lost(cause);
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
  }

  #lost(cause: Error): TransientError {
    return connectionLost(this.address, cause);
  }
}

function connectionLost({ host, port }: Address, cause: Error): TransientError {
  const message = `The connection to Kafka at ${host}:${port} failed: ${cause.message}.`;
  return new TransientError("kafka-connection", message, { cause });
}

const notConnected = ({ connectTimeoutMs }: KafkaConnectionOptions): Error =>
  new Error(`not connected within ${connectTimeoutMs} ms`);

function openSocket(address: Address, options: KafkaConnectionOptions): Promise<Socket> {
  const { host, port } = address;
  const { tls, connectTimeoutMs } = options;
  return new Promise((resolve, reject) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = tls ? connectTls({ ...name, ...tls, host, port }) : connectTcp({ host, port });
    const timer = setTimeout(() => {
      socket.destroy(notConnected(options));
    }, connectTimeoutMs);
    const onError = (error: Error): void => {
      clearTimeout(timer);
      reject(
        isRefusedCertificate(error) ? tlsFault(address, error) : connectionLost(address, error),
      );
    };
    socket.once("error", onError);
    socket.once(tls ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 60_000);
      resolve(socket);
    });
  });
}

/** OpenSSL's and Node's names for certificates that aren't trusted, or are another host's. */
function isRefusedCertificate(error: Error & { readonly code?: string }): boolean {
  const { code = "" } = error;
  return /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code);
}

function tlsFault({ host, port }: Address, cause: Error): FatalError {
  return new FatalError(
    "kafka-tls",
    `The certificate of Kafka at ${host}:${port} is not trusted: ${cause.message}.`,
    "Name the authority that signed it (`ca`), or connect by the name in the certificate.",
    { cause },
  );
}

/** What is asked for, by api key: the version, and who came first with it. */
const neededVersions = new Map([
  [0, 7],
  [1, 13],
  [2, 7],
  [3, 10],
]);

function assertVersions(versions: readonly ApiRange[], { host, port }: Address): void {
  for (const { apiKey, minVersion, maxVersion } of versions) {
    const needed = neededVersions.get(apiKey);
    if (needed === undefined || (needed >= minVersion && needed <= maxVersion)) continue;
    throw new FatalError(
      "kafka-version",
      `Kafka at ${host}:${port} takes request ${apiKey} in versions ${minVersion} to ` +
        `${maxVersion}, and ${needed} is needed.`,
      "Use Kafka 3.1 or newer.",
    );
  }
}
