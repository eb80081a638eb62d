import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import { keepCompiledCode } from "../test/support/compiled-code.ts";

const main = new URL("../bin/main.ts", import.meta.url).pathname;

// As whoever runs a role by the launcher.
keepCompiledCode();

const startsWithinMs = 120_000;

/** One role of the system as a process of its own, without a launcher: a signal reaches itself. */
export class RoleProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #printed = "";
  #look: () => void = () => undefined;

  constructor(args: readonly string[], settings: Readonly<Record<string, string>>) {
    const flags = ["--disable-warning=ExperimentalWarning"];
    this.#child = spawn(process.execPath, [...flags, main, ...args], {
      env: { ...process.env, REFOLD_AUTH: "off", ...settings },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#exited = once(this.#child, "exit");
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#printed += text;
      this.#look();
    });
  }

  /** Resolves with the first match in what it prints. @throws Error when it ends before, or takes too long. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      this.#look = () => {
        const match = pattern.exec(this.#printed);
        if (match) resolve(match);
      };
      this.#look();
    });
    const late = AbortSignal.timeout(startsWithinMs);
    const over = once(late, "abort").then(() => `didn't print it within ${startsWithinMs} ms`);
    const ended = this.#exited.then(() => "ended before");
    const first = await Promise.race([found, over, ended]);
    if (typeof first !== "string") return first;
    throw new Error(`A process of refold was to print ${String(pattern)}, and ${first}.`);
  }

  async kill(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#child.kill(signal);
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGTERM");
  }
}
