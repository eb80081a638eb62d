import { readdirSync, readFileSync } from "node:fs";

interface Used {
  readonly parent: number;
  /** Of the process and of children that have ended and were waited for, in seconds. */
  readonly seconds: number;
}

/** Of a second: what /proc counts in, on every usual Linux. */
const ticksPerSecond = 100;

/**
 * Processor time of a process and all that descend from it, in seconds; undefined where there is no
 * /proc. A child's time counts on when it has ended, where its parent has waited for it.
 */
export function processorSeconds(pid: number): number | undefined {
  const all = new Map<number, Used>();
  for (const name of namesIn("/proc")) {
    const used = /^\d+$/.test(name) ? usedBy(name) : undefined;
    if (used) all.set(Number(name), used);
  }
  if (!all.has(pid)) return undefined;
  let seconds = 0;
  for (const [one, used] of all) if (descends(all, one, pid)) seconds += used.seconds;
  return seconds;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** undefined: it has ended meanwhile. */
function usedBy(pid: string): Used | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name, in parentheses, may hold anything. After it: state, parent, ...
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { parent: Number(fields[1]), seconds: ticks / ticksPerSecond };
  } catch {
    return undefined;
  }
}

function descends(all: ReadonlyMap<number, Used>, from: number, ancestor: number): boolean {
  for (let at = from; at > 0; at = all.get(at)?.parent ?? 0) if (at === ancestor) return true;
  return false;
}
