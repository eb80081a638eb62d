import { randomBytes } from "node:crypto";

/** A secret by what it is for; unmistakable wherever it turns up. */
export type Canaries = Readonly<Record<string, string>>;

export const canaryOf = (): string => `canary${randomBytes(12).toString("hex")}`;

/** Something that a run has given out: printed, answered or stored. */
export interface Output {
  /** Where: a command line, a URL, a table. */
  readonly from: string;
  readonly bytes: Uint8Array | string;
}

/** Where which secret was found, in which form. */
export interface Leak {
  readonly secret: string;
  readonly form: string;
  readonly from: string;
  readonly around: string;
}

/** A secret is found as it is, and as URLs, headers and dumps carry it. */
export function leaksIn(outputs: readonly Output[], canaries: Canaries): readonly Leak[] {
  const wanted = Object.entries(canaries).flatMap(([secret, text]) =>
    formsOf(text).map(([form, pattern]) => ({ secret, form, pattern })),
  );
  return outputs.flatMap(({ from, bytes }) => {
    const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1");
    return wanted.flatMap(({ secret, form, pattern }) => {
      const at = text.indexOf(pattern);
      if (at < 0) return [];
      return [{ secret, form, from, around: text.slice(Math.max(0, at - 60), at + 60) }];
    });
  });
}

/** Of base64 there are three, by where among other bytes the secret begins. */
function formsOf(text: string): readonly (readonly [string, string])[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    // Its ends are mixed with what stands before and behind.
    return ["base64", whole.slice(4, -4)] as const;
  });
  return [
    ["plain", text],
    ["URL-encoded", encodeURIComponent(text)],
    ["hex", bytes.toString("hex")],
    ...base64,
  ];
}
