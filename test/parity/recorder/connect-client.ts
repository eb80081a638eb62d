/** The REST interface of a Connect worker, as far as a recording needs it. */
export class ConnectClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async create(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await this.#ask("POST", "/connectors", { name, config });
  }

  /** Ends its task and keeps its offsets. */
  async stop(name: string): Promise<void> {
    await this.#ask("PUT", `/connectors/${name}/stop`);
  }

  async resume(name: string): Promise<void> {
    await this.#ask("PUT", `/connectors/${name}/resume`);
  }

  async delete(name: string): Promise<void> {
    await this.#ask("DELETE", `/connectors/${name}`);
  }

  async status(name: string): Promise<ConnectorStatus> {
    const status = (await this.#ask("GET", `/connectors/${name}/status`)) as RawStatus;
    const failed = [status.connector, ...status.tasks].find((one) => one.state === "FAILED");
    return {
      state: status.connector.state,
      tasks: status.tasks.map((task) => task.state),
      ...(failed === undefined ? {} : { failure: failed.trace ?? "without a trace" }),
    };
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(90_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return text === "" ? undefined : (JSON.parse(text) as unknown);
    throw new ConnectError(response.status, `Connect answers ${method} ${path}: ${text}`);
  }
}

export interface ConnectorStatus {
  readonly state: string;
  readonly tasks: readonly string[];
  /** The stack trace of what ended it. */
  readonly failure?: string;
}

interface RawStatus {
  readonly connector: RawState;
  readonly tasks: readonly RawState[];
}

interface RawState {
  readonly state: string;
  readonly trace?: string;
}

export class ConnectError extends Error {
  override readonly name = "ConnectError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
