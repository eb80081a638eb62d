/** A URL as it may be printed: without its password. */
export function withoutPassword(text: string): string {
  if (!URL.canParse(text)) return "(a URL that can't be read)";
  const url = new URL(text);
  url.password = "";
  for (const name of ["password", "sslpassword"]) url.searchParams.delete(name);
  return url.href;
}
