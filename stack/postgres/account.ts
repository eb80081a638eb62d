import { constants } from "node:fs";
import { access, chown, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** The operating system's account under which the server runs. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** How to start a program as that account. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Postgres refuses to run as root. A root user's server runs as `postgres`, or as `nobody` where
 * there is no such account; everybody else's runs as themselves (undefined).
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = await readFile("/etc/passwd", "utf8");
  const accounts = passwd.split("\n").map(parseAccount);
  const account =
    accounts.find((a) => a?.name === "postgres") ?? accounts.find((a) => a?.name === "nobody");
  if (!account) {
    throw new Error(
      "Postgres refuses to run as root, and there is neither an account postgres nor nobody to " +
        "run it as: start as another user, or make one (useradd --system postgres).",
    );
  }
  return account;
}

function parseAccount(line: string): Account | undefined {
  const [name, , uid, gid] = line.split(":");
  if (!name || !uid || !gid) return undefined;
  return { name, uid: Number(uid), gid: Number(gid) };
}

/** Gives a folder to the account. */
export async function giveTo(path: string, account: Account | undefined): Promise<void> {
  if (account) await chown(path, account.uid, account.gid);
}

/**
 * How to start `command` as `account`. Where a folder above one of `paths` is closed to the
 * account (a checkout below /root, say), setpriv (util-linux) leaves it the one right that it
 * lacks, to pass through folders; what it writes stays its own.
 */
export async function launchAs(
  account: Account | undefined,
  command: string,
  args: readonly string[],
): Promise<Launch> {
  if (!account) return { command, args };
  const dataFolder = args[args.indexOf("-D") + 1] ?? command;
  const open = (await isOpenTo(account, command)) && (await isOpenTo(account, dataFolder));
  if (open) return { command, args, uid: account.uid, gid: account.gid };
  const setpriv = "/usr/bin/setpriv";
  await access(setpriv, constants.X_OK).catch(() => {
    throw new Error(
      `The account ${account.name}, which runs Postgres for root, may not enter the folders above ` +
        `${command} or ${dataFolder}: start as another user, or place the project and --data elsewhere.`,
    );
  });
  const rights = ["--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search"];
  const ids = ["--reuid", String(account.uid), "--regid", String(account.gid), "--clear-groups"];
  // Without it the kernel forgets the right in access(2), by which initdb looks for its programs.
  const keepRights = ["--securebits", "+no_setuid_fixup"];
  return { command: setpriv, args: [...ids, ...keepRights, ...rights, "--", command, ...args] };
}

async function isOpenTo(account: Account, path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const right = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & right) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
