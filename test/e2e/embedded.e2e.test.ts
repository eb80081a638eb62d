import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readInstance } from "../../stack/data-folder/instance-file.ts";
import { journeys, type JourneySystem, untilReady } from "./journeys.ts";
import { RefoldProcess } from "./refold-process.ts";

/** Everything in one process, on its own Postgres in a folder. */
class OneProcess implements JourneySystem {
  readonly #folder: string;
  #process: RefoldProcess | undefined;
  http = "";
  database = "";

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<OneProcess> {
    const folder = await mkdtemp(join(tmpdir(), "refold-journeys-"));
    // Postgres may run under another account.
    await chmod(folder, 0o755);
    const system = new OneProcess(folder);
    await system.#begin();
    return system;
  }

  get findBy() {
    return { args: ["--data", join(this.#folder, "data")], environment: {} };
  }

  async restart(how: "drained" | "killed"): Promise<void> {
    await this.#end(how);
    await this.#begin();
  }

  killOne(): Promise<void> {
    return this.restart("killed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("drained");
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #begin(): Promise<void> {
    const started = new RefoldProcess(["start", ...this.findBy.args, "--port", "0"]);
    this.#process = started;
    [, this.http = ""] = await started.printed(/listens on (http:\S+)/);
    [, this.database = ""] = await started.printed(/database {2}(postgresql:\S+)/);
    await untilReady(this.http, [started]);
  }

  /** Killed is the program itself, with its launcher still there. */
  async #end(how: "drained" | "killed"): Promise<void> {
    if (this.#process?.isRunning !== true) return;
    const instance = await readInstance(join(this.#folder, "data"));
    if (how === "drained") this.#process.child.kill("SIGTERM");
    else process.kill(instance?.pid ?? 0, "SIGKILL");
    await this.#process.ended;
  }
}

journeys({
  on: "in one process, on its own Postgres",
  start: () => OneProcess.start(),
  offeredWithinMs: 1_000,
  startTimeoutMs: 60_000,
});
