import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";

import { installedIn, type LockedPackages, versionsIn } from "./locked-packages.ts";

/** Without a cache and over a slow line; a registry that can't be reached takes npm long to say. */
const installWithinMs = 180_000;

/** Why a peer can't be measured here, as the run says it. */
export class PeerMissing extends Error {}

/**
 * Makes sure that what a peer's lock file names is there, and gives the versions by package. npm
 * installs it into the peer's own folder when it is first asked for: who doesn't measure the peer
 * doesn't download it. No install script runs.
 *
 * @throws PeerMissing when it can't be had.
 */
export async function installPeer(folder: string): Promise<ReadonlyMap<string, string>> {
  const locked = read(join(folder, "package-lock.json"));
  const there = read(join(folder, "node_modules", ".package-lock.json"));
  if (!installedIn(there, locked)) await install(folder);
  return versionsIn(locked);
}

const read = (path: string): LockedPackages =>
  existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as LockedPackages) : { packages: {} };

async function install(cwd: string): Promise<void> {
  const peer = basename(cwd);
  console.log(`${peer}: npm installs it below benchmarks/peers, once.`);
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  try {
    await promisify(execFile)("npm", args, { cwd, timeout: installWithinMs });
  } catch (error) {
    const { stderr = "", message } = error as Error & { readonly stderr?: string };
    const why = stderr.trim().split("\n")[0] || message;
    throw new PeerMissing(
      `${peer}, because npm can't install it (${why}): run npm ci in benchmarks/peers/${peer}`,
      { cause: error },
    );
  }
}
