import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";

import type { Clock } from "../../../engine/ports/clock.ts";
import { readInstance } from "../../../stack/data-folder/instance-file.ts";
import { CommandFailure } from "../../command-failure.ts";
import { placeSettings } from "../../environment.ts";
import { killTree } from "./process-tree.ts";

export interface DemoServerOptions {
  /** Path of the program, as Node runs it. */
  readonly program: string;
  readonly dataFolder: string;
  /** Where it says what it has to say. */
  readonly outputFile: string;
  /** 0: a free one at the first start, and the same from then on. */
  readonly port: number;
  /** Further options of `refold start`. */
  readonly options: readonly string[];
  readonly clock: Clock;
  readonly startsWithinMs?: number;
}

/** One life of `refold start`. */
interface Life {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
}

/** Settings that would lead it to servers that are not the demo's. */
const foreign = new Set<string>([
  ...placeSettings,
  "REFOLD_ORIGINS",
  "REFOLD_PAYMENTS",
  "REFOLD_SANDBOX_CARD",
]);

/** `refold start` as a child process on a folder of its own, which can be killed and started again. */
export class DemoServer implements AsyncDisposable {
  readonly #options: Required<DemoServerOptions>;
  #port: number;
  #life: Life | undefined;

  constructor(options: DemoServerOptions) {
    this.#options = { startsWithinMs: 60_000, ...options };
    this.#port = options.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /**
   * Resolves when it answers (`/livez`) or when nothing is behind either (`/readyz`).
   *
   * @throws CommandFailure when it never does.
   */
  async start(until: "/livez" | "/readyz"): Promise<void> {
    const { clock, startsWithinMs } = this.#options;
    const life = await this.#spawn();
    this.#life = life;
    const endsMs = clock.monotonicMs() + startsWithinMs;
    while (!(await this.#answers(life, until))) {
      if (life.child.exitCode !== null || clock.monotonicMs() > endsMs)
        throw await this.#failed(life);
      await clock.sleep(50);
    }
  }

  /**
   * SIGKILL for the program and for the database at once.
   *
   * @returns how many processes that were.
   */
  async kill(): Promise<number> {
    const life = this.#life;
    if (life?.child.pid === undefined) return 0;
    const killed = await killTree(life.child.pid);
    await life.ended;
    return killed;
  }

  /** Drains it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const life = this.#life;
    if (life === undefined || life.child.exitCode !== null) return;
    life.child.kill("SIGTERM");
    await life.ended;
  }

  async #spawn(): Promise<Life> {
    const { program, dataFolder, outputFile, options } = this.#options;
    const inherited = Object.entries(process.env).filter(([name]) => !foreign.has(name));
    const output = await open(outputFile, "a", 0o600);
    const place = ["--data", dataFolder, "--port", String(this.#port)];
    try {
      const child = spawn(
        process.execPath,
        ["--disable-warning=ExperimentalWarning", "--", program, "start", ...place, ...options],
        {
          env: Object.fromEntries(inherited),
          // Ctrl-C is for the demo, which stops its server in order; and without the demo, however
          // it went, the channel is gone and the server drains by itself.
          detached: true,
          stdio: ["ignore", output.fd, output.fd, "ipc"],
        },
      );
      child.channel?.unref();
      return { child, ended: once(child, "exit") };
    } finally {
      await output.close();
    }
  }

  async #answers({ child }: Life, path: string): Promise<boolean> {
    const instance = await readInstance(this.#options.dataFolder);
    // The file of a life that was killed is still there.
    if (instance?.pid !== child.pid || instance?.httpUrl === undefined) return false;
    this.#port = Number(new URL(instance.httpUrl).port);
    try {
      return (await fetch(`${this.url}${path}`)).ok;
    } catch {
      return false;
    }
  }

  async #failed({ child }: Life): Promise<CommandFailure> {
    const { outputFile, startsWithinMs } = this.#options;
    const said = await readFile(outputFile, "utf8").catch(() => "");
    const how =
      child.exitCode === null
        ? `was not ready within ${startsWithinMs / 1_000} s`
        : `ended with exit code ${child.exitCode}`;
    return new CommandFailure(
      "failed",
      `The demo's server ${how}. What it said last: ` +
        `${said.trimEnd().split("\n").slice(-5).join(" / ")} (all of it: ${outputFile})`,
    );
  }
}
