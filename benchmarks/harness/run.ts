import { runProgram } from "./program.ts";
import { type RunResult, type TimedRepeat, workloadResult, type WorkloadResult } from "./result.ts";
import { surroundings } from "./surroundings.ts";
import { beginText, resultText, surroundingsText } from "./texts.ts";
import type { SettingValues, Workload } from "./workload.ts";

export interface BenchRun {
  readonly workloads: ReadonlyMap<Workload, SettingValues>;
  /** Left out: as many as each workload says. */
  readonly repeats: number | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted: what runs is stopped, and counts as failed; the rest isn't begun. */
  readonly signal: AbortSignal;
  /** What people read while it runs. */
  readonly say: (text: string) => void;
}

/** Runs the workloads one after the other. */
export async function runBench(run: BenchRun): Promise<RunResult> {
  const { workloads, signal, say } = run;
  const around = surroundings();
  say(surroundingsText(around));
  const results: WorkloadResult[] = [];
  for (const [workload, settings] of workloads) {
    if (signal.aborted) break;
    say(`\n${beginText(workload, settings)}`);
    const result = workloadResult(workload, settings, await repeated(run, workload, settings));
    say(resultText(result));
    results.push(result);
  }
  return { format: 1, ...around, workloads: results };
}

/** The first repeat that fails is the last one. */
async function repeated(
  { repeats, environment, signal }: BenchRun,
  workload: Workload,
  settings: SettingValues,
): Promise<TimedRepeat[]> {
  const done: TimedRepeat[] = [];
  for (let turn = 0; turn < (repeats ?? workload.repeats); turn += 1) {
    const began = performance.now();
    const repeat = await runProgram({ workload, settings, environment, signal });
    done.push({ ...repeat, seconds: (performance.now() - began) / 1_000 });
    if (repeat.failure !== undefined) break;
  }
  return done;
}
