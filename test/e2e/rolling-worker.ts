import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { onTestFinished } from "vitest";

import type { Told } from "./rolling-process.ts";

const program = fileURLToPath(new URL("rolling-process.ts", import.meta.url));

/** A process with the code of one version: it works on its projection, and answers queries. */
export class RollingWorker {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (told: Told) => void>();
  #asked = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (told: Told | "ready") => {
      if (told !== "ready") this.#waiting.get(told.id)?.(told);
    });
  }

  /** Killed when the test ends, if it runs still. */
  static async start(url: string, code: "old" | "new"): Promise<RollingWorker> {
    const child = fork(program, [url, code], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    });
    const worker = new RollingWorker(child);
    const ended = once(child, "exit").then(() => {
      throw new Error(`The ${code} worker ended before it was ready.`);
    });
    await Promise.race([once(child, "message"), ended]);
    ended.catch(() => undefined);
    return worker;
  }

  /** The row with the key, or all rows. */
  async ask(key?: string): Promise<Told> {
    const id = (this.#asked += 1);
    const told = new Promise<Told>((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, key });
    try {
      return await told;
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** Drains. @returns its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    const [code] = (await once(this.#child, "exit")) as [number | null];
    return code;
  }
}
