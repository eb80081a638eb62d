import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * A process and all that descend from it, children after their parents. Groups won't do: the
 * database and each of its backends lead groups of their own.
 */
export async function processTree(pid: number): Promise<readonly number[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid="]);
  const children = new Map<number, number[]>();
  for (const line of stdout.split("\n")) {
    const [child = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const tree = [pid];
  for (const parent of tree) tree.push(...(children.get(parent) ?? []));
  return tree;
}

/** SIGKILL for all of them, at once: nobody can say anything to anybody before the end. */
export async function killTree(pid: number): Promise<number> {
  const tree = await processTree(pid);
  return tree.filter(killed).length;
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself meanwhile.
    return false;
  }
}
