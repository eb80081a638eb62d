type SourceReviver = (
  key: string,
  value: unknown,
  context: { readonly source?: string },
) => unknown;

/** JavaScript has these; the compiler's library doesn't know of them yet. */
const json = JSON as unknown as {
  parse(text: string, reviver: SourceReviver): unknown;
  rawJSON(text: string): object;
};

/**
 * Parses JSON whose numbers are to be written again as they stand: one that JavaScript would write
 * in another way (beyond 2^53, or 1.0) becomes an object that `JSON.stringify` writes as its text.
 */
export function parseExactly(text: string): unknown {
  return json.parse(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source
      ? json.rawJSON(source)
      : value,
  );
}
