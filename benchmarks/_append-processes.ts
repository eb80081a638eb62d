import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

import type { AppendLoad } from "./_append-load.ts";
import type { ProcessAppended, ProcessLoad } from "./_append-process.ts";

const program = new URL("./_append-process.ts", import.meta.url);

/** Processes that are connected and warm, and append when they are told to. */
export interface AppendProcesses extends Disposable {
  run(): Promise<ProcessAppended[]>;
}

/** Starts processes that append one load each, all of the same round. */
export async function appendProcesses(
  url: string,
  load: Omit<AppendLoad, "process">,
  count: number,
): Promise<AppendProcesses> {
  const children = Array.from({ length: count }, () =>
    fork(program, { execArgv: ["--disable-warning=ExperimentalWarning"] }),
  );
  const stop = (): void => children.forEach((child) => child.kill());
  try {
    await Promise.all(
      children.map((child, at) => tell(child, { ...load, url, process: at } satisfies ProcessLoad)),
    );
  } catch (error) {
    stop();
    throw error;
  }
  const run = (): Promise<ProcessAppended[]> =>
    Promise.all(children.map(async (child) => (await tell(child, "begin")) as ProcessAppended));
  return { run, [Symbol.dispose]: stop };
}

/** Gives what it answers. @throws Error when it ends instead. */
async function tell(child: ChildProcess, what: ProcessLoad | "begin"): Promise<unknown> {
  const ended = new AbortController();
  const answered = once(child, "message", { signal: ended.signal });
  child.once("exit", () => ended.abort(new Error("A process ended before it had appended.")));
  child.send(what);
  const [answer] = (await answered) as unknown[];
  return answer;
}
