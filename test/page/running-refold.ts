import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";

import { refold, RefoldProcess, until } from "../e2e/refold-process.ts";

/** `refold start` on a folder and a port that it keeps when it is started again. */
export class RunningRefold implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly #environment: Readonly<Record<string, string>>;
  #process: RefoldProcess | undefined;

  private constructor(of: {
    readonly folder: string;
    readonly port: number;
    readonly environment: Readonly<Record<string, string>>;
  }) {
    this.folder = of.folder;
    this.port = of.port;
    this.#environment = of.environment;
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<RunningRefold> {
    const folder = await mkdtemp(join(tmpdir(), "refold-page-"));
    await chmod(folder, 0o755);
    const running = new RunningRefold({ folder, port: await freePort(), environment });
    await running.start();
    return running;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const args = ["start", "--data", this.folder, "--port", String(this.port)];
    this.#process = new RefoldProcess(args, this.#environment, "nothing");
    await this.#process.printed(/listens on http/, 90_000);
  }

  /** As a power cut would end it. */
  async kill(): Promise<void> {
    this.#process?.child.kill("SIGKILL");
    await this.#process?.ended;
  }

  async sql(text: string, values: readonly unknown[] = []): Promise<void> {
    const [, url = ""] = /database {2}(postgresql:\S+)/.exec(this.#process?.out ?? "") ?? [];
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(text, [...values]);
    } finally {
      await client.end();
    }
  }

  /** Offers a module, and waits until its seats can be asked for. */
  async offer(module: {
    readonly code: string;
    readonly title?: string;
    readonly capacity?: number;
    readonly feeCents?: number;
  }): Promise<void> {
    const { code, title = `Module ${code}`, capacity = 10, feeCents = 0 } = module;
    await this.sql(
      "insert into catalogue.modules (code, title, capacity, fee_cents) values ($1, $2, $3, $4)",
      [code, title, capacity, feeCents],
    );
    const path = `${this.url}/modules/${encodeURIComponent(code)}`;
    await until(
      async () => {
        const answers = await Promise.all([fetch(path), fetch(`${path}/availability`)]);
        return answers.every(({ ok }) => ok) ? true : undefined;
      },
      30_000,
      () => `module ${code} is offered`,
    );
  }

  /** A command of the operator, on the same folder. */
  async command(...args: readonly string[]): Promise<string> {
    const ended = await refold([...args, "--data", this.folder]);
    if (ended.code !== 0) throw new Error(`refold ${args.join(" ")}: ${ended.err}${ended.out}`);
    return ended.out;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process?.isRunning) this.#process.child.kill("SIGTERM");
    await this.#process?.ended;
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Pages that wait for a server find it where it was. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("No port was given.");
  return address.port;
}
