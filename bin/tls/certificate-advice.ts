/** What a refused certificate lacks, and what to do about it. */
const advices: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME/, "It is another host's: connect by a name that stands in the certificate."],
  [/CERT_HAS_EXPIRED/, "It is over: renew it at the server."],
  [/CERT_NOT_YET_VALID/, "It isn't valid yet: compare the clocks of both machines."],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/,
    "Nobody here trusts who signed it: name that authority's certificate in REFOLD_TLS_CA " +
      "(or as sslrootcert in the URL of Postgres, KAFKA_TLS_CA, REDIS_TLS_CA).",
  ],
];

/** Causes that are followed: a chain of them has an end, and a circle has none. */
const causesMax = 10;

/** What to do where a server's certificate was refused; undefined: the error is of something else. */
export function certificateAdvice(error: unknown): string | undefined {
  let at = error;
  for (let depth = 0; depth < causesMax && at instanceof Error; depth += 1) {
    const { code } = at as { readonly code?: unknown };
    const found = advices.find(([pattern]) => typeof code === "string" && pattern.test(code));
    if (found !== undefined) return found[1];
    at = at.cause;
  }
  return undefined;
}
