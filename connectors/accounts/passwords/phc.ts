/** What scrypt (RFC 7914) is to do: N = 2^ln blocks of 128 r bytes, p times over. */
export interface ScryptCost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** A password as it is stored. */
export interface PasswordHash extends ScryptCost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 32 MiB and about 0.1 s a check: with two at once, sign-ins leave the process its memory. */
export const defaultCost: ScryptCost = { ln: 15, r: 8, p: 1 };

/** More memory than 128 MiB, or more work than N = 2^17, r = 8, p = 1, is never spent on a row. */
const lnMax = 17;
const workMax = 2 ** 17 * 8;

const saltBytes = { least: 8, most: 64 };
const hashBytes = { least: 16, most: 64 };

const pattern =
  /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{1,100})\$([A-Za-z0-9+/]{1,100})$/;

/** A stored hash that must not, or can't, be computed. The message tells no part of the hash. */
export class UnusablePasswordHash extends Error {
  override readonly name = "UnusablePasswordHash";
}

/** In the PHC string format: `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, base64 without padding. */
export function phcOf({ ln, r, p, salt, hash }: PasswordHash): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** @throws UnusablePasswordHash for what is no such string, or asks for more than is ever spent. */
export function parsePhc(text: string): PasswordHash {
  const [, ln, r, p, salt = "", hash = ""] = pattern.exec(text) ?? [];
  if (hash === "") {
    throw new UnusablePasswordHash("it is no PHC string of scrypt ($scrypt$ln=..,r=..,p=..$..$..)");
  }
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  assertAffordable(cost);
  const bytes = { salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
  assertWithin("salt", bytes.salt.length, saltBytes);
  assertWithin("hash", bytes.hash.length, hashBytes);
  return { ...cost, ...bytes };
}

function assertAffordable({ ln, r, p }: ScryptCost): void {
  if (ln <= lnMax && 2 ** ln * r * p <= workMax) return;
  throw new UnusablePasswordHash(
    `its cost (ln=${ln}, r=${r}, p=${p}) is above what is ever spent: ` +
      `ln at most ${lnMax}, and 2^ln r p at most 2^20`,
  );
}

function assertWithin(
  what: string,
  length: number,
  { least, most }: { readonly least: number; readonly most: number },
): void {
  if (length >= least && length <= most) return;
  throw new UnusablePasswordHash(`its ${what} has ${length} bytes, not ${least} to ${most}`);
}

const unpadded = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
