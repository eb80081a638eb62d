import { Agent, type IncomingMessage, request } from "node:http";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly header: (name: string) => string | undefined;
}

export interface HttpClientOptions {
  /** Of the API. */
  readonly url: string;
  /** Further requests wait for a connection. */
  readonly connectionsMax: number;
  /** Without an answer for so long the connection is given up. */
  readonly timeoutMs: number;
}

/** Connections that are kept, over which requests go as they come. */
export class HttpClient implements Disposable {
  readonly #options: HttpClientOptions;
  readonly #agent: Agent;
  readonly #to: { readonly hostname: string; readonly port: string };

  constructor(options: HttpClientOptions) {
    const { hostname, port } = new URL(options.url);
    this.#options = options;
    this.#to = { hostname, port };
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connectionsMax });
  }

  /** undefined: no answer came, or only a part of one. Whether anything was done is unknown. */
  send({ method, path, headers = {}, body }: HttpRequest): Promise<HttpAnswer | undefined> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const json =
      text === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    return new Promise((resolve) => {
      const sent = request(
        {
          ...this.#to,
          agent: this.#agent,
          method,
          path,
          headers: { ...headers, ...json },
          timeout: this.#options.timeoutMs,
        },
        (incoming) => void whole(incoming).then(resolve),
      );
      sent.on("timeout", () => sent.destroy());
      sent.on("error", () => resolve(undefined));
      sent.end(text);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

async function whole(incoming: IncomingMessage): Promise<HttpAnswer | undefined> {
  try {
    incoming.setEncoding("utf8");
    let text = "";
    for await (const part of incoming) text += part as string;
    return {
      status: incoming.statusCode ?? 0,
      text,
      header: (name) => {
        const value = incoming.headers[name];
        return Array.isArray(value) ? value[0] : value;
      },
    };
  } catch {
    return undefined;
  }
}
