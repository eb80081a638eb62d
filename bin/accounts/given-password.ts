import { randomInt } from "node:crypto";

import { assertFit, defaultPasswords, UnfitPassword } from "../../connectors/accounts/index.ts";
import { CommandFailure } from "../command-failure.ts";

/** A password to be set, and what is stored of it. */
export interface GivenPassword {
  readonly passwordHash: string;
  /** What was made here, to be shown once; undefined: whoever gave it knows it. */
  readonly made: string | undefined;
}

export interface PasswordOptions {
  readonly passwordStdin?: true;
}

/** Without letters and digits that look alike. */
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
const groups = 4;
const groupLength = 5;

/** Longer than any password may be. */
const stdinBytesMax = 4_096;

/** The password of standard input, or one that is made. @throws CommandFailure `usage` */
export async function givenPassword(
  { passwordStdin }: PasswordOptions,
  accountName: string,
): Promise<GivenPassword> {
  const made = passwordStdin === undefined ? madePassword() : undefined;
  const password = made ?? (await passwordOfStdin());
  assertUsable(password, accountName);
  return { passwordHash: await defaultPasswords().hash(password), made };
}

/** 100 bits, from the operating system's randomness. */
function madePassword(): string {
  const letters = (count: number): string =>
    Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join("");
  return Array.from({ length: groups }, () => letters(groupLength)).join("-");
}

/** All of it but the end of its line. */
async function passwordOfStdin(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new CommandFailure(
      "usage",
      "The password would be shown as it is typed: hand it over with a pipe or a file " +
        "(refold ... --password-stdin < file), or leave the option out to have one made.",
    );
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > stdinBytesMax) break;
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
    return text.replace(/\r?\n$/, "");
  } catch (cause) {
    throw new CommandFailure("usage", "The password is no text in UTF-8.", { cause });
  }
}

function assertUsable(password: string, accountName: string): void {
  try {
    assertFit(password, accountName);
  } catch (cause) {
    if (!(cause instanceof UnfitPassword)) throw cause;
    throw new CommandFailure("usage", cause.message, { cause });
  }
}
