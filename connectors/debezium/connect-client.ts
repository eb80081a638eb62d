import { setTimeout as delay } from "node:timers/promises";

import { FatalError, TransientError } from "../../engine/errors.ts";

export type ConnectorConfig = Readonly<Record<string, string>>;

export interface ConnectorStatus {
  /** `RUNNING`, `STOPPED`, `FAILED`, ... as Connect says. */
  readonly state: string;
  readonly tasks: readonly string[];
  /** The stack trace of what ended the connector or one of its tasks. */
  readonly failure: string | undefined;
}

/** A place in a connector's source, in the connector's own words. */
export interface ConnectorOffset {
  readonly partition: Readonly<Record<string, unknown>>;
  readonly offset: Readonly<Record<string, unknown>>;
}

interface RawState {
  readonly state: string;
  readonly trace?: string;
}

export interface ConnectClientOptions {
  readonly url: string;
  /** Of one call (default 30,000): a rebalance of the workers makes single calls wait. */
  readonly timeoutMs?: number;
  /** How long a call is made again while the workers put it off for a rebalance (default 15,000). */
  readonly rebalanceMs?: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * A Connect worker's REST interface, as far as connectors are kept by it
 * (https://kafka.apache.org/documentation/#connect_rest).
 *
 * Failures: `TransientError` `connect-away` when no worker answers, or it says that its group is
 * rebalancing for longer than `rebalanceMs`; `FatalError` `connect-refused` with Connect's reason.
 */
export class ConnectClient {
  readonly #base: string;
  readonly #authorization: string | undefined;
  readonly #timeoutMs: number;
  readonly #rebalanceMs: number;

  constructor({ url, timeoutMs = 30_000, rebalanceMs = 15_000 }: ConnectClientOptions) {
    const parsed = new URL(url);
    const user = decodeURIComponent(parsed.username);
    const secret = `${user}:${decodeURIComponent(parsed.password)}`;
    this.#authorization =
      user === "" ? undefined : `Basic ${Buffer.from(secret).toString("base64")}`;
    parsed.username = "";
    parsed.password = "";
    this.#base = parsed.href.replace(/\/+$/, "");
    this.#timeoutMs = timeoutMs;
    this.#rebalanceMs = rebalanceMs;
  }

  /** The worker's version. */
  async version(): Promise<string> {
    return ((await this.#ask("GET", "/")) as { readonly version: string }).version;
  }

  /** Class names of connectors, converters and transformations that the worker has. */
  async plugins(): Promise<ReadonlyMap<string, string>> {
    const path = "/connector-plugins?connectorsOnly=false";
    const found = (await this.#ask("GET", path)) as { class: string; version?: string }[];
    return new Map(found.map(({ class: name, version = "" }) => [name, version]));
  }

  /** Makes a connector that doesn't run yet. */
  async create(name: string, config: ConnectorConfig): Promise<void> {
    await this.#ask("POST", "/connectors", { name, config, initial_state: "STOPPED" });
  }

  async configure(name: string, config: ConnectorConfig): Promise<void> {
    await this.#ask("PUT", `${pathOf(name)}/config`, config);
  }

  /** undefined: there is no such connector. */
  async config(name: string): Promise<ConnectorConfig | undefined> {
    return (await this.#find(`${pathOf(name)}/config`)) as ConnectorConfig | undefined;
  }

  /** undefined: there is no such connector, or it is so new that nothing is known of it. */
  async status(name: string): Promise<ConnectorStatus | undefined> {
    const found = (await this.#find(`${pathOf(name)}/status`)) as
      { readonly connector: RawState; readonly tasks: readonly RawState[] } | undefined;
    if (found === undefined) return undefined;
    const failed = [found.connector, ...found.tasks].find(({ state }) => state === "FAILED");
    return {
      state: found.connector.state,
      tasks: found.tasks.map(({ state }) => state),
      failure: failed && (failed.trace ?? "without a trace"),
    };
  }

  /** Ends its tasks; its offsets stay. */
  async stop(name: string): Promise<void> {
    await this.#ask("PUT", `${pathOf(name)}/stop`);
  }

  async resume(name: string): Promise<void> {
    await this.#ask("PUT", `${pathOf(name)}/resume`);
  }

  async restart(name: string): Promise<void> {
    await this.#ask("POST", `${pathOf(name)}/restart?includeTasks=true&onlyFailed=true`);
  }

  /** Where a stopped connector had read to is forgotten. */
  async forgetOffsets(name: string): Promise<void> {
    await this.#ask("DELETE", `${pathOf(name)}/offsets`);
  }

  /** Where the connector had read to, as Connect remembers it; empty: nothing is remembered. */
  async offsets(name: string): Promise<readonly ConnectorOffset[]> {
    const found = (await this.#find(`${pathOf(name)}/offsets`)) as
      { readonly offsets: readonly ConnectorOffset[] } | undefined;
    return found?.offsets ?? [];
  }

  /** Lets a stopped connector go on from elsewhere. */
  async setOffsets(name: string, offsets: readonly ConnectorOffset[]): Promise<void> {
    await this.#ask("PATCH", `${pathOf(name)}/offsets`, { offsets });
  }

  async delete(name: string): Promise<void> {
    await this.#ask("DELETE", pathOf(name));
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const { status, text } = await this.#answered(method, path, body);
    if (status < 300) return text === "" ? undefined : (JSON.parse(text) as unknown);
    throw failure(`${method} ${this.#base}${path}`, status, text);
  }

  /** undefined where Connect knows nothing of it. */
  async #find(path: string): Promise<unknown> {
    const { status, text } = await this.#answered("GET", path, undefined);
    if (status === 404) return undefined;
    if (status < 300) return JSON.parse(text) as unknown;
    throw failure(`GET ${this.#base}${path}`, status, text);
  }

  /** A call that was put off has done nothing, whatever its method: it is made again. */
  async #answered(method: string, path: string, body: unknown): Promise<Answer> {
    const deadlineMs = performance.now() + this.#rebalanceMs;
    for (;;) {
      const answer = await this.#exchange(method, path, body);
      if (!isPutOff(answer) || performance.now() >= deadlineMs) return answer;
      await delay(putOffMs);
    }
  }

  async #exchange(method: string, path: string, body: unknown): Promise<Answer> {
    const authorization = this.#authorization;
    try {
      const response = await fetch(`${this.#base}${path}`, {
        method,
        headers: {
          accept: "application/json",
          "content-type": "application/json",
          ...(authorization === undefined ? {} : { authorization }),
        },
        signal: AbortSignal.timeout(this.#timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      const why = cause instanceof Error ? (cause.cause ?? cause) : cause;
      const { message = "", code = String(why) } = why as Partial<NodeJS.ErrnoException>;
      // The error of several addresses, each refused, has a code alone.
      const told = message || code;
      throw new TransientError("connect-away", `Kafka Connect can't be asked: ${told}.`, { cause });
    }
  }
}

const pathOf = (name: string): string => `/connectors/${encodeURIComponent(name)}`;

/** Until a call that was put off is made again. */
const putOffMs = 250;

/**
 * Workers say so with 409 where they change something and with 500 where they only look. A connector
 * that is there already is a 409 too, and stays one.
 */
const isPutOff = ({ status, text }: Answer): boolean =>
  (status === 409 || status === 500) && /rebalance|stale configuration/.test(text);

/** What an answer may hold of a configuration is cut off: it could have a password in it. */
const toldCharactersMax = 600;

function failure(asked: string, status: number, text: string): Error {
  const told = text.slice(0, toldCharactersMax);
  // 409: the workers are rebalancing, and the call may be made again.
  if (status === 409 || status >= 500) {
    return new TransientError(
      "connect-away",
      `Kafka Connect answers ${asked} with ${status}: ${told}`,
    );
  }
  return new FatalError(
    "connect-refused",
    `Kafka Connect answers ${asked} with ${status}: ${told}`,
    "Correct what it names, then apply the connectors again.",
  );
}
