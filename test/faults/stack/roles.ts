import type { Instance } from "../../e2e/refold-instance.ts";
import { RefoldProcess } from "../../e2e/refold-process.ts";
import { ServersBehindProxies } from "./servers-behind-proxies.ts";

/** The roles as processes of their own, on servers of the test's own. */
export class Roles implements AsyncDisposable {
  readonly servers: ServersBehindProxies;
  readonly #processes: RefoldProcess[] = [];
  #instance: Instance | undefined;

  private constructor(servers: ServersBehindProxies) {
    this.servers = servers;
  }

  /** With an API and a capture; workers are started one by one. */
  static async start(): Promise<Roles> {
    const roles = new Roles(await ServersBehindProxies.start());
    try {
      await roles.#startBeside();
      return roles;
    } catch (error) {
      await roles[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The API, as a surge runs on it and as an audit looks at it. */
  get instance(): Instance & { readonly settings: Readonly<Record<string, string>> } {
    if (!this.#instance) throw new Error("The API doesn't run yet.");
    return { ...this.#instance, settings: this.servers.near };
  }

  async worker(): Promise<RefoldProcess> {
    const worker = this.#begin(["worker"]);
    try {
      await worker.printed(/The worker runs/, 90_000);
    } catch (error) {
      // A try that follows must not find it at work.
      worker.child.kill("SIGKILL");
      throw error;
    }
    return worker;
  }

  get running(): readonly RefoldProcess[] {
    return this.#processes.filter((one) => one.isRunning);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#processes) child.kill("SIGKILL");
    await Promise.all(this.#processes.map(({ ended }) => ended));
    await this.servers[Symbol.asyncDispose]();
  }

  async #startBeside(): Promise<void> {
    const capture = this.#begin(["capture"]);
    const api = this.#begin(["api", "--port", "0"]);
    await capture.printed(/The capture runs/, 60_000);
    const [, http = ""] = await api.printed(/listens on (http:\S+?)\. /, 60_000);
    const database = this.servers.near["DATABASE_URL"] ?? "";
    this.#instance = { process: api, http, database };
  }

  /** Without the launcher, so that what is done to the process is done to the program. */
  #begin(args: readonly string[]): RefoldProcess {
    const process = new RefoldProcess(args, this.servers.far, "nothing");
    this.#processes.push(process);
    return process;
  }
}
