import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startStack, type Stack } from "../../stack/services/index.ts";
import { journeys, type JourneySystem, untilReady } from "./journeys.ts";
import { refold, RefoldProcess } from "./refold-process.ts";

/** A whole stack of the test's own: it is filled, and its connectors are the only ones. */
let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refold-full-"));
  const cache = join(homedir(), ".cache", "refold", "stack");
  stack = await startStack({ cache, data: folder });
}, 240_000);

afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

test("no command is taken before the connectors' slots are there", async () => {
  const { code, err } = await refold(["start", "--port", "0"], stack.environment);
  expect(err).toMatch(/no replication slot refold_events.*Run refold connectors apply first/s);
  expect(code).toBe(1);
}, 60_000);

test("connectors are applied, and said to run", async () => {
  const applied = await refold(["connectors", "apply"], stack.environment);
  expect(applied).toMatchObject({ code: 0, err: "" });
  expect(applied.out).toMatch(/^refold-events +made, runs/m);
  expect(applied.out).toMatch(/^refold-catalogue +made, runs/m);
  const status = await refold(["connectors", "status"], stack.environment);
  expect(status).toMatchObject({ code: 0, err: "" });
}, 90_000);

/** An API and two workers, each a process of its own. */
class SeveralProcesses implements JourneySystem {
  readonly findBy = { args: [], environment: stack.environment };
  readonly database = stack.environment["DATABASE_URL"] ?? "";
  http = "";
  #api: RefoldProcess | undefined;
  #workers: RefoldProcess[] = [];

  static async start(): Promise<SeveralProcesses> {
    const system = new SeveralProcesses();
    await system.#begin();
    return system;
  }

  async restart(how: "drained" | "killed"): Promise<void> {
    await this.#end(how === "drained" ? "SIGTERM" : "SIGKILL");
    await this.#begin();
  }

  async killOne(): Promise<void> {
    const worker = this.#workers.shift();
    worker?.child.kill("SIGKILL");
    await worker?.ended;
    this.#workers.push(this.#process(["worker"]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #begin(): Promise<void> {
    this.#workers = [this.#process(["worker"]), this.#process(["worker"])];
    this.#api = this.#process(["api", "--port", "0"]);
    [, this.http = ""] = await this.#api.printed(/listens on (http:\S+?)\. /);
    await untilReady(this.http, [...this.#workers, this.#api]);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const running = [...this.#workers, this.#api].filter((one) => one !== undefined);
    for (const { child } of running) child.kill(signal);
    await Promise.all(running.map(({ ended }) => ended));
  }

  /** Without the launcher, so that what is done to the process is done to the program. */
  #process(args: readonly string[]): RefoldProcess {
    return new RefoldProcess(args, stack.environment, "nothing");
  }
}

journeys({
  on: "on Kafka, Debezium, a registry and Redis, in several processes",
  start: () => SeveralProcesses.start(),
  offeredWithinMs: 30_000,
  startTimeoutMs: 60_000,
});
