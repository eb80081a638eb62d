/** A URL as it may be printed: without its password. */
export function withoutPassword(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Without a host all of it could be a secret that stands in the wrong place.
  if (!url?.host) return "(a URL that can't be read)";
  url.password = "";
  for (const name of ["password", "sslpassword"]) url.searchParams.delete(name);
  return url.href;
}
