#!/usr/bin/env node
// Runs on any Node from 20 on, so it is plain JavaScript. Refold itself needs Node 24, which the
// development dependency `node` brings: this finds one and hands arguments, exit code and signals on.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const majorNeeded = 24;
const wrongVersion = 7;
const here = dirname(fileURLToPath(import.meta.url));

/** The program: its TypeScript in a checkout; what was built of it below node_modules. */
function program() {
  const source = join(here, "main.ts");
  // Node strips no types below node_modules.
  const strippable = !here.split(sep).includes("node_modules") && existsSync(source);
  return strippable ? source : join(here, "..", "dist", "bin", "main.js");
}

/** Path of a Node of the needed version: our own, the package's, or undefined. */
function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= majorNeeded) return process.execPath;
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    const { version, bin } = JSON.parse(readFileSync(manifest, "utf8"));
    if (Number.parseInt(version, 10) < majorNeeded) return undefined;
    const path = join(dirname(manifest), typeof bin === "string" ? bin : bin.node);
    // Its install script puts the program there; npm may have been told not to run it.
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Compiled code is kept beside the packages, which halves the time to start. */
function environment() {
  const cache = join(here, "..", "node_modules", ".cache", "refold");
  return { NODE_COMPILE_CACHE: cache, ...process.env };
}

function run(node) {
  // The channel tells the program that this process is gone, however it went: then it drains.
  // Behind `--` Node looks for no options of its own: it would take --env-file away otherwise.
  const child = spawn(
    node,
    ["--disable-warning=ExperimentalWarning", "--", program(), ...process.argv.slice(2)],
    { stdio: ["inherit", "inherit", "inherit", "ipc"], env: environment() },
  );
  // Ctrl-C reaches the child through the terminal too: it takes signals that come together as one.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.once("error", (error) => {
    process.stderr.write(`refold: Node could not be started at ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.once("exit", (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

const node = findNode();
if (node === undefined) {
  process.stderr.write(
    `refold: Node ${majorNeeded} or later is needed and this is ${process.versions.node}: ` +
      "run npm ci with development dependencies and install scripts, or install Node " +
      `${majorNeeded}.\n`,
  );
  process.exitCode = wrongVersion;
} else {
  run(node);
}
