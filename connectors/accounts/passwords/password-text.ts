/** Of a password that is set, in characters (code points, normalised). */
export const passwordCharacters = { least: 8, most: 200 } as const;

/** Of a password that is checked, in bytes as it came: what is longer was never set. */
const checkedBytesMax = 1_000;

/** A text needs so many different characters to be a password. */
const differentLeast = 5;

/** A name shorter than this may be part of a password. */
const nameLeast = 4;

/**
 * Those of common lists that are long enough and varied enough to get past the other rules, without
 * digits and signs at their end.
 */
const common = new Set(
  (
    "password passwort passw0rd qwertyui qwertyuiop qwertzuiop asdfghjkl iloveyou sunshine " +
    "princess football baseball basketball superman batman trustno welcome letmein changeme " +
    "administrator computer internet starwars whatever michelle jennifer corvette mercedes " +
    "q1w2e3r4 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq12wsx abcdefgh abcdefg abcd1234 a1b2c3d4 secret " +
    "student university registration refold dragon monkey shadow master"
  ).split(" "),
);

const rows = ["01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm"];

/** A password that can't be set. The message tells no part of it. */
export class UnfitPassword extends Error {
  override readonly name = "UnfitPassword";
}

/**
 * The text that is hashed: normalisation form KC (NIST SP 800-63B, 5.1.1.2), so that a keyboard that
 * composes characters in another way still types the same password.
 */
export const normalised = (password: string): string => password.normalize("NFKC");

/** Could this ever have been set? Told before any work is spent on it. */
export const canBeChecked = (password: string): boolean =>
  password.length > 0 && Buffer.byteLength(password) <= checkedBytesMax;

/**
 * Bounds, and the few that everybody tries first. No rules about kinds of characters: they make
 * passwords worse (NIST SP 800-63B, appendix A).
 *
 * @throws UnfitPassword saying what is wrong with it.
 */
export function assertFit(password: string, accountName: string): void {
  const text = normalised(password);
  const { least, most } = passwordCharacters;
  const characters = Array.from(text);
  if (characters.length < least || characters.length > most || !canBeChecked(password)) {
    throw new UnfitPassword(
      `A password has ${least} to ${most} characters, at most ${checkedBytesMax} bytes; ` +
        `this one has ${characters.length}.`,
    );
  }
  if (/\p{Cc}/u.test(text)) {
    throw new UnfitPassword("A password has no control characters: nobody could type them.");
  }
  const lower = text.toLowerCase();
  if (new Set(characters).size < differentLeast || isCommon(lower)) {
    throw new UnfitPassword("This password is among the first that are tried: choose another.");
  }
  const name = normalised(accountName).toLowerCase();
  if (name.length >= nameLeast && lower.includes(name)) {
    throw new UnfitPassword("This password has the account's name in it: choose another.");
  }
}

function isCommon(lower: string): boolean {
  const bare = lower.replace(/[^\p{L}]+$/u, "");
  if (common.has(lower) || common.has(bare)) return true;
  const backwards = Array.from(lower).toReversed().join("");
  return rows.some((row) => row.includes(lower) || row.includes(backwards));
}
