import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { giveTo } from "./account.ts";
import { user } from "./connection.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import { runToEnd, type Place } from "./launch.ts";

const passwordFile = "postgres.password";

/** Makes the data folder. It does so beside the final name and renames, so that a crash leaves no half-made folder. */
export async function initialise(folder: string, place: Place): Promise<void> {
  const draft = `${place.data}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await giveTo(draft, place.account);
  const password = randomBytes(24).toString("base64url");
  const path = join(folder, passwordFile);
  await writeFile(path, password, { mode: 0o600 });
  await giveTo(path, place.account);
  const args = ["-D", draft, "-U", user, `--pwfile=${path}`, "--auth=scram-sha-256"];
  const encoding = ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"];
  const output = await runToEnd(place, place.binaries.initdb, [...args, ...encoding]);
  if (output.code !== 0) {
    throw new EmbeddedPostgresError(`Postgres could not make its data folder: ${output.text}`);
  }
  await rename(draft, place.data);
}

export async function assertUsable(data: string): Promise<void> {
  const version = await readFile(join(data, "PG_VERSION"), "utf8").catch(() => "");
  if (version.trim() === "18") return;
  const found = version.trim() === "" ? "has no PG_VERSION file" : `was made by ${version.trim()}`;
  throw new EmbeddedPostgresError(
    `${data} is not a data folder of Postgres 18 (it ${found}): restore it, or start on another folder with --data.`,
  );
}

export async function readPassword(folder: string): Promise<string> {
  const path = join(folder, passwordFile);
  const password = await readFile(path, "utf8").catch(() => "");
  if (password !== "") return password;
  throw new EmbeddedPostgresError(
    `${path} is missing or empty, and without it the server can't be entered: restore it, or start on another folder with --data.`,
  );
}
