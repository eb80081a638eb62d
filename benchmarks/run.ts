/**
 * `npm run bench`: what `refold bench` does. Programs of this folder that are no workload of it run
 * by themselves when they are named (`npm run bench -- payments`); a failed check fails the run.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { workloads } from "./harness/catalogue.ts";

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const isProgram = (name: string): boolean =>
  /^[a-z][a-z-]*$/.test(name) &&
  name !== "run" &&
  existsSync(pathOf(`${name}.ts`)) &&
  !workloads.some((workload) => workload.name === name);

async function run(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  // Ctrl-C reaches it through the terminal too: this ends when it has ended.
  const forward = (signal: NodeJS.Signals) => void child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, forward);
  const [code] = (await once(child, "exit")) as [number | null];
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, forward);
  if (code !== 0) process.exitCode = code ?? 1;
}

const asked = process.argv.slice(2);
const programs = asked.filter(isProgram);
const rest = asked.filter((arg) => !isProgram(arg));
const launcher = pathOf("../bin/refold.js");
if (rest.length > 0 || programs.length === 0) await run(["--", launcher, "bench", ...rest]);
for (const name of programs) {
  console.log(`\n== ${name}`);
  await run(["--expose-gc", "--disable-warning=ExperimentalWarning", pathOf(`${name}.ts`)]);
}
