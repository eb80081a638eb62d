import { readdirSync, readFileSync } from "node:fs";

interface Used {
  readonly parent: number;
  /** Processor time of the process itself, in seconds. */
  readonly own: number;
  /** Of children that have ended and were waited for. */
  readonly ended: number;
}

/** Of a second: what /proc counts in, on every usual Linux. */
const ticksPerSecond = 100;

/** Processor time of one process, in seconds; undefined where there is no /proc, or it is gone. */
export const processSeconds = (pid: number): number | undefined => usedBy(pid)?.own;

/** Of children of this process that have ended. */
export const endedChildrenSeconds = (): number | undefined => usedBy(process.pid)?.ended;

export const parentOf = (pid: number): number | undefined => usedBy(pid)?.parent;

/** Of a process and all that descend from it; children that have ended count on. */
export function treeSeconds(root: number): number | undefined {
  const all = new Map<number, Used>();
  for (const pid of processes()) {
    const used = usedBy(pid);
    if (used) all.set(pid, used);
  }
  if (!all.has(root)) return undefined;
  let seconds = 0;
  for (const [pid, { own, ended }] of all) if (descends(all, pid, root)) seconds += own + ended;
  return seconds;
}

function processes(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function usedBy(pid: number): Used | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name, in parentheses, may hold anything. After it: state, parent, ...
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const seconds = (at: number): number =>
      (Number(fields[at]) + Number(fields[at + 1])) / ticksPerSecond;
    return { parent: Number(fields[1]), own: seconds(11), ended: seconds(13) };
  } catch {
    return undefined;
  }
}

function descends(all: ReadonlyMap<number, Used>, from: number, ancestor: number): boolean {
  for (let at = from; at > 0; at = all.get(at)?.parent ?? 0) if (at === ancestor) return true;
  return false;
}
