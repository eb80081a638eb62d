import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { Client, type QueryResultRow } from "pg";

import { startStack, type Stack } from "../../../stack/services/index.ts";
import type { Instance } from "../../e2e/refold-instance.ts";
import { type Ended, refold, RefoldProcess, until } from "../../e2e/refold-process.ts";

type Settings = Readonly<Record<string, string>>;

/** All servers of production, of a test's own, and the roles that run on them as processes. */
export class WholeStack implements AsyncDisposable {
  readonly settings: Settings;
  readonly #stack: Stack;
  readonly #folder: string;
  readonly #processes: RefoldProcess[] = [];

  private constructor(stack: Stack, folder: string) {
    this.#stack = stack;
    this.#folder = folder;
    this.settings = { ...stack.environment, CAPTURE: "debezium" };
  }

  static async start(): Promise<WholeStack> {
    const folder = await mkdtemp(join(tmpdir(), "refold-whole-"));
    const cache = join(homedir(), ".cache", "refold", "stack");
    return new WholeStack(await startStack({ cache, data: folder }), folder);
  }

  begin(args: readonly string[], more: Settings = {}): RefoldProcess {
    const process = new RefoldProcess(args, { ...this.settings, ...more }, "nothing");
    this.#processes.push(process);
    return process;
  }

  /** Connectors, two workers and the API. */
  async instance(): Promise<Instance & { readonly settings: Settings }> {
    await this.done(["connectors", "apply"]);
    const workers = [this.begin(["worker"]), this.begin(["worker"])];
    for (const worker of workers) await worker.printed(/The worker runs/, 60_000);
    const api = this.begin(["api", "--port", "0"]);
    const [, http = ""] = await api.printed(/listens on (http:\S+?)\. /, 60_000);
    const database = this.settings["DATABASE_URL"] ?? "";
    return { process: api, http, database, settings: this.settings };
  }

  /** Runs a command that succeeds, and gives what it printed. */
  async done(args: readonly string[], more: Settings = {}): Promise<string> {
    const ended = await this.ended(args, more);
    if (ended.code === 0) return ended.out;
    throw new Error(`refold ${args.join(" ")} ended with ${ended.code}: ${ended.err}`);
  }

  ended(args: readonly string[], more: Settings = {}): Promise<Ended> {
    return refold(args, { ...this.settings, ...more });
  }

  async sql<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.settings["DATABASE_URL"] });
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** What an operator tells Connect by hand. */
  async connect(method: "PUT" | "DELETE", path: string): Promise<void> {
    const response = await fetch(`${this.settings["CONNECT_URL"]}/connectors/${path}`, { method });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  }

  /** Waits until nobody reads the slot of a connector that was stopped, and drops it. */
  async dropSlot(slot: string): Promise<void> {
    const isFree = async () => {
      const [row] = await this.sql<{ active: boolean }>(
        "select active from pg_replication_slots where slot_name = $1",
        [slot],
      );
      return row?.active === false ? true : undefined;
    };
    await until(isFree, 30_000, () => `nobody reads slot ${slot}`);
    await this.sql("select pg_drop_replication_slot($1)", [slot]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#processes) child.kill("SIGKILL");
    await Promise.all(this.#processes.map(({ ended }) => ended));
    await this.#stack.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
