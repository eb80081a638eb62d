/**
 * `npm run bench`: what `refold bench` does. Programs of this folder that are no workload of it are
 * run by themselves: `./node_modules/.bin/node benchmarks/payments.ts`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const launcher = fileURLToPath(new URL("../bin/refold.js", import.meta.url));
const args = [launcher, "bench", ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { stdio: "inherit" });
// Ctrl-C reaches the launcher through the terminal too: it ends when what it runs has been stopped.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
const [code] = (await once(child, "exit")) as [number | null];
process.exitCode = code ?? 1;
