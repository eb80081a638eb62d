import { setTimeout as delay } from "node:timers/promises";

import { FatalError, TransientError } from "../../../engine/errors.ts";

export interface RegistryClientOptions {
  /** Where the routes begin; a user and password in it are sent as basic authentication. */
  readonly url: string;
  /** How long one answer may take. */
  readonly timeoutMs?: number;
  /** Tries of one call, the first included, while the registry is away. */
  readonly triesMax?: number;
  readonly retryDelayMs?: number;
  /** Bytes of an answer, beyond which it is refused. */
  readonly answerBytesMax?: number;
}

/** What the registry answered: `body` of a success, or its code and message of a no. */
export type RegistryAnswer =
  | { readonly kind: "ok"; readonly body: unknown }
  | { readonly kind: "refused"; readonly code: number; readonly message: string };

const mediaType = "application/vnd.schemaregistry.v1+json";

/** Statuses after which the same call may work: too many requests, and a server that can't now. */
const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/**
 * Calls of a registry that has Confluent's REST interface
 * (https://docs.confluent.io/platform/current/schema-registry/develop/api.html). All calls that are
 * made here may be repeated: registering the same schema again gives what it has.
 *
 * Failures: `TransientError` `registry-away` when it doesn't answer, or answers that it can't now;
 * `FatalError` `registry-denied` where it wants other credentials, `registry-foreign` where what
 * answers is no such registry.
 */
export class RegistryClient {
  readonly #base: string;
  readonly #authorization: string | undefined;
  readonly #options: Required<Omit<RegistryClientOptions, "url">>;

  constructor(options: RegistryClientOptions) {
    const url = new URL(options.url);
    const user = decodeURIComponent(url.username);
    const password = decodeURIComponent(url.password);
    url.username = "";
    url.password = "";
    this.#base = url.href.replace(/\/+$/, "");
    this.#authorization =
      user === "" ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    this.#options = {
      timeoutMs: options.timeoutMs ?? 5_000,
      triesMax: options.triesMax ?? 3,
      retryDelayMs: options.retryDelayMs ?? 100,
      answerBytesMax: options.answerBytesMax ?? 16 * 1024 * 1024,
    };
  }

  /** Without user and password. */
  get url(): string {
    return this.#base;
  }

  get(path: string): Promise<RegistryAnswer> {
    return this.#call("GET", path);
  }

  post(path: string, body: unknown): Promise<RegistryAnswer> {
    return this.#call("POST", path, body);
  }

  put(path: string, body: unknown): Promise<RegistryAnswer> {
    return this.#call("PUT", path, body);
  }

  async #call(method: string, path: string, body?: unknown): Promise<RegistryAnswer> {
    const { triesMax, retryDelayMs } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(method, path, body);
      } catch (error) {
        if (!(error instanceof TransientError) || attempt >= triesMax) throw error;
        await delay(retryDelayMs * 2 ** (attempt - 1));
      }
    }
  }

  async #once(method: string, path: string, body: unknown): Promise<RegistryAnswer> {
    const { status, text } = await this.#exchange(method, path, body);
    const asked = `${method} ${this.#base}${path}`;
    if (isPassing(status)) throw away(`it answered ${asked} with ${status}`);
    if (status === 401 || status === 403) throw denied(asked, status);
    const json = parsed(text);
    if (status < 300 && json !== undefined) return { kind: "ok", body: json };
    const { error_code: code = status, message = "" } = (json ?? {}) as Refusal;
    if (json === undefined && status !== 404) throw foreign(asked, status);
    return { kind: "refused", code, message };
  }

  async #exchange(
    method: string,
    path: string,
    body: unknown,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const authorization = this.#authorization;
    try {
      const response = await fetch(`${this.#base}${path}`, {
        method,
        headers: {
          accept: `${mediaType}, application/json`,
          ...(body === undefined ? {} : { "content-type": mediaType }),
          ...(authorization === undefined ? {} : { authorization }),
        },
        signal: AbortSignal.timeout(this.#options.timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await this.#textOf(response) };
    } catch (cause) {
      if (cause instanceof FatalError) throw cause;
      throw away(reasonOf(cause), cause);
    }
  }

  async #textOf(response: Response): Promise<string> {
    const { answerBytesMax } = this.#options;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > answerBytesMax) {
        throw new FatalError(
          "registry-foreign",
          `The schema registry's answer has more than ${answerBytesMax} bytes.`,
          "Check SCHEMA_REGISTRY_URL.",
        );
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }
}

interface Refusal {
  readonly error_code?: number;
  readonly message?: string;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What fetch throws says only "fetch failed": its cause has the reason. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  // That of several addresses, each refused, has a code alone.
  return cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name);
}

function away(why: string, cause?: unknown): TransientError {
  return new TransientError("registry-away", `The schema registry can't be asked: ${why}.`, {
    cause,
  });
}

function denied(asked: string, status: number): FatalError {
  return new FatalError(
    "registry-denied",
    `The schema registry answered ${asked} with ${status}.`,
    "Give SCHEMA_REGISTRY_URL a user and password that may read and write subjects and their settings.",
  );
}

function foreign(asked: string, status: number): FatalError {
  return new FatalError(
    "registry-foreign",
    `What answered ${asked} (${status}, no JSON) is no schema registry.`,
    "Check SCHEMA_REGISTRY_URL: Apicurio's Confluent-compatible routes are below /apis/ccompat/v7.",
  );
}
