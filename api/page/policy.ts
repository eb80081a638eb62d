/**
 * What the page may do: run its own files and speak with its own server. Nothing is inline, text
 * becomes HTML through the template library alone, and no form is sent by the browser itself, so
 * that a password can't end in an address.
 */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html",
].join("; ");

/** Headers of the page and of each of its files. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": pagePolicy,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  // Asked again each time: the answer is 304 until another version runs.
  "cache-control": "no-cache",
};
